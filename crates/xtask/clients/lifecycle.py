"""The program as a process: what it says and returns when it cannot start, how it drains, and what its flags change."""

import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import tempfile
import time

import checks
from checks import CLOSE, PING, PONG, TEXT, Program, Wire, check, frame, same

ANY = "127.0.0.1:0"


def leaves_at_once(*arguments):
    """Runs the program to its end: (exit code, what it said)."""
    with Program(*arguments) as program:
        return program.exit_code(), program.log()


def port(http):
    return http.rsplit(":", 1)[1]


def stream(http, path="/clock"):
    """An event stream whose head and first event have arrived."""
    wire = Wire(http)
    wire.request(f"GET {path}")
    assert wire.until(b"\r\n\r\n").startswith(b"HTTP/1.1 200 "), "the stream is refused"
    wire.until(b"data: ")
    wire.until(b"\n\n")
    return wire


def rest(wire):
    data = wire.received
    while more := wire.socket.recv(1 << 16):
        data += more
    return data.decode()


# Starting.


@check("a port in use: exit code 2 and a clear message; the first program goes on")
def in_use():
    for threads in ("1", "2"):
        with Program("--listen", ANY, "--threads", threads) as first:
            http = first.listening()
            for more in ([], ["--threads", "2"]):
                code, said = leaves_at_once("--listen", f"127.0.0.1:{port(http)}", *more)
                same(code, 2, f"the exit code {more}")
                assert "in use" in said and port(http) in said and len(said.splitlines()) == 1, f"it says {said!r}"
            with Wire(http) as wire:
                wire.request("GET /healthz")
                same(wire.response().status, 200, "the status")


@check("a flag or value that is none: exit code 2 and its name")
def bad_flags():
    for arguments in (["--nonsense"], ["--listen", "nowhere"], ["--listen", "fd:3"], ["--max-message", "much"], ["--ping", "0s"], ["--threads", "0"], ["--trusted-proxy", "10.0.0.1/8"], ["nonsense"]):
        code, said = leaves_at_once(*arguments)
        same(code, 2, f"the exit code of {arguments}")
        assert arguments[-1] in said or arguments[0] in said, f"{arguments}: it says {said!r}"


@check("an address that is not ours: exit code 2")
def not_ours():
    code, said = leaves_at_once("--listen", "192.0.2.1:8080")
    same(code, 2, "the exit code")
    assert "192.0.2.1:8080" in said, f"it says {said!r}"


@check("--help and --version")
def help_and_version():
    for flag, wanted in (("--help", "--listen"), ("--version", "longwire ")):
        outcome = subprocess.run([checks.os.environ["LONGWIRE"], flag], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=10)
        same(outcome.returncode, 0, "the exit code")
        assert wanted in outcome.stdout, f"{flag} says {outcome.stdout!r}"


@check("`serve` is what the program does anyway, on several addresses")
def several():
    wanted = [ANY, ANY]
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
        wanted.append("[::1]:0")
    except OSError:
        pass  # this machine has no IPv6
    with Program("serve", *(word for address in wanted for word in ("--listen", address))) as program:
        program.listening()
        with program.more:
            assert program.more.wait_for(lambda: len(program.lines) >= len(wanted), 10), f"it says {program.lines}"
        addresses = [line.split("listening on ")[1] for line in program.lines]
        same(len(set(addresses)), len(wanted), "how many addresses there are")
        for http in addresses:
            with Wire(http) as wire:
                wire.request("GET /healthz")
                same(wire.response().status, 200, f"the status at {http}")


# Listening.


@check("a Unix socket: any Host, its file goes with the program, a dead one's is replaced, a live one's is in use")
def unix_socket():
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder, "socket")
        for threads in ("1", "2"):
            with Program("--listen", f"unix:{path}", "--threads", threads) as program:
                same(program.listening("unix:"), f"unix:{path}", "the place")
                with Wire.over(path) as wire:
                    wire.request("GET /healthz")
                    same(wire.response().status, 200, "the status")
                with Wire.over(path).opened() as wire:
                    wire.send(frame(TEXT, b"over a file"))
                    same(wire.frame(), (True, TEXT, b"over a file"), "the echo")
                code, said = leaves_at_once("--listen", f"unix:{path}")
                same(code, 2, "the exit code of a second one")
                assert "in use" in said and str(path) in said, f"it says {said!r}"
                program.signal(signal.SIGTERM)
                same(program.exit_code(), 0, "the exit code")
            assert not path.exists(), "its file is still there"
            with Program("--listen", f"unix:{path}") as program:
                program.listening("unix:")
                program.process.kill()
                program.exit_code()
            assert path.exists(), "who is killed leaves its file"
        path.unlink()
        path.write_text("no socket")
        same(leaves_at_once("--listen", f"unix:{path}")[0], 2, "the exit code at a file that is no socket")
        same(path.read_text(), "no socket", "the file")


@check("sockets handed over as systemd does, TCP and Unix, beside one of our own")
def handed_over():
    with tempfile.TemporaryDirectory() as folder, socket.create_server(("127.0.0.1", 0)) as tcp, socket.socket(socket.AF_UNIX) as unix:
        path = f"{folder}/socket"
        unix.bind(path)
        unix.listen()
        fds = (tcp.fileno(), unix.fileno())
        # Both are moved out of the way first: each may have the other's number.
        script = f'exec 8<&{fds[0]} 9<&{fds[1]}; exec 3<&8 4<&9 8<&- 9<&-; LISTEN_PID=$$ LISTEN_FDS=2 exec "$@"'
        through = ["bash", "-c", script, "systemd"]
        with Program("--listen", "fd:3", "--listen", "fd:4", "--listen", ANY, through=through, pass_fds=fds) as program:
            program.listening("unix:")
            with program.more:
                assert program.more.wait_for(lambda: len(program.lines) >= 3, 10), f"it says {program.lines}"
            places = [line.split("listening on ")[1] for line in program.lines]
            assert f"http://127.0.0.1:{tcp.getsockname()[1]}" in places and f"unix:{path}" in places, places
            for place in places:
                with Wire.over(path) if place.startswith("unix:") else Wire(place) as wire:
                    wire.request("GET /healthz")
                    same(wire.response().status, 200, f"the status at {place}")
            program.signal(signal.SIGTERM)
            same(program.exit_code(), 0, "the exit code")
        assert os.path.exists(path), "the file of a socket that was handed over is not ours to remove"
        with Program("--listen", "fd:5", through=through, pass_fds=fds) as program:
            same(program.exit_code(), 2, "the exit code for one that was not handed over")
            assert "fd:5" in program.log(), program.log()


# The access log.

HOSTILE = 'a" 200 1\\ \x1b[2J\u009b2J é'


def accesses(format, *arguments):
    """Asks for all kinds of things, and returns the lines of the access log."""
    with Program("--listen", ANY, "--access-log", format, *arguments, stdout=subprocess.PIPE) as program:
        http = program.listening()
        with Wire(http) as wire:
            wire.request("GET /healthz?a=%22", "Referer: http://x/", "User-Agent: " + HOSTILE.replace("\x1b", "\t"), "X-Forwarded-For: 192.0.2.7")
            same(wire.response().status, 200, "the status")
            wire.request("HEAD /nowhere", "Forwarded: for=6.6.6.6")
            same(wire.response("HEAD").status, 404, "the status")
            wire.send(b"nonsense\r\n\r\n")
            same(wire.response().status, 400, "the status")
            wire.ends()
        with Wire(http).opened() as wire:
            wire.send(frame(CLOSE, b"\x03\xe9"))
            same(wire.frame()[1], CLOSE, "the opcode")
            wire.ends()
        program.signal(signal.SIGTERM)
        same(program.exit_code(), 0, "the exit code")
        return program.process.stdout.read().splitlines()


def as_told(lines):
    """The lines of text, as what JSON would say."""
    for line in lines:
        assert line.isascii() and line.isprintable(), f"a line is {line!r}"
        quoted = r'"((?:[^"\\]|\\.)*)"'
        answered = re.fullmatch(rf'(\S+) (\d+\.\d+\.\d+) - \[(\S+)\] {quoted} (\d{{3}}) (\d+) {quoted} {quoted} (\d+\.\d{{3}})', line)
        closed = re.fullmatch(rf'(\S+) (\d+\.\d+\.\d+) - \[(\S+)\] closed {quoted} (\d+|-) (\d+\.\d{{3}})', line)
        if answered:
            address, id, _, request, status, bytes, referer, agent, _ = answered.groups()
            yield address, id, request, int(status), int(bytes), referer, agent.encode().decode("unicode_escape").encode("latin-1").decode()
        else:
            assert closed, f"a line is {line!r}"
            address, id, _, why, code, _ = closed.groups()
            yield address, id, why, None if code == "-" else int(code)


def as_objects(lines):
    for line in lines:
        assert line.isascii() and line.isprintable(), f"a line is {line!r}"
        entry = json.loads(line)
        if entry["event"] == "answered":
            request = f"{entry['method']} {entry['target']} {entry['version']}" if "method" in entry else "-"
            yield entry["address"], entry["id"], request, entry["status"], entry["bytes"], entry.get("referer", "-"), entry.get("user_agent", "-")
        else:
            yield entry["address"], entry["id"], entry["why"], entry.get("code")


@check("--access-log: a line for every answer and every end, as text and as JSON the same")
def access_log():
    def told(read, lines):
        # The end of the first connection may be told before or after the second one's request.
        entries = list(read(lines))
        answers, ends = [entry for entry in entries if len(entry) == 7], [entry for entry in entries if len(entry) == 4]
        same({entry[1] for entry in ends}, {answers[2][1], answers[3][1]}, "the ids of the ends, beside those of the last requests")
        return [entry[:1] + entry[2:] for entry in answers + sorted(ends, key=lambda entry: entry[2])]

    trusting = ("--trusted-proxy", "127.0.0.0/8")
    plain, proxied = told(as_told, accesses("text")), told(as_told, accesses("text", *trusting))
    same(told(as_objects, accesses("json")), plain, "what JSON says")
    same(told(as_objects, accesses("json", *trusting)), proxied, "what JSON says behind a trusted proxy")
    same([entry[0] for entry in plain], ["127.0.0.1"] * 6, "the addresses")
    same([entry[0] for entry in proxied], ["192.0.2.7", "6.6.6.6"] + ["127.0.0.1"] * 4, "the addresses behind a trusted proxy")
    same([entry[1:4] for entry in plain[:2]], [("GET /healthz?a=%22 HTTP/1.1", 200, 3), ("HEAD /nowhere HTTP/1.1", 404, 0)], "what was asked")
    same([entry[1:3] for entry in plain[2:4]], [("-", 400), ("GET /echo HTTP/1.1", 101)], "what was asked then")
    same(plain[0][4:], ("http://x/", HOSTILE.replace("\x1b", "\t")), "the fields")
    same([entry[1:] for entry in plain[4:]], [("answered", None), ("the peer closed", 1001)], "the ends")


@check("an access log that nobody reads holds up neither the server nor its end, and what is lost is counted")
def access_log_unread():
    with Program("--listen", ANY, "--access-log", "json", stdout=subprocess.PIPE) as program:
        http = program.listening()
        with Wire(http) as wire:
            batch = (f"GET /healthz HTTP/1.1\r\nHost: localhost\r\nUser-Agent: {'x' * 900}\r\n\r\n" * 50).encode()
            for _ in range(40):  # about 2.5 MiB of lines: more than a pipe and the buffer hold
                wire.send(batch)
                for _ in range(50):
                    same(wire.response().status, 200, "the status")
        program.signal(signal.SIGTERM)
        same(program.exit_code(), 0, "the exit code")
        said = program.log()
        assert re.search(r"\d+ lines of the access log were dropped", said) and "not taken" in said, f"it says {said!r}"


# Draining.


@check("SIGTERM and SIGINT: 1001 to a WebSocket, retry and the end to a stream, exit code 0")
def drain():
    for number in (signal.SIGTERM, signal.SIGINT):
        for threads in ("1", "2"):
            with Program("--listen", ANY, "--threads", threads) as program:
                http = program.listening()
                with Wire(http).opened() as socket, stream(http) as events, Wire(http) as idle:
                    idle.request("GET /healthz")
                    same(idle.response().status, 200, "the status")
                    program.signal(number)
                    socket.closed(1001)
                    said = rest(events)
                    assert "retry: " in said and said.endswith("\n\n"), f"the stream ends with {said!r}"
                    idle.ends()
                    began = time.monotonic()
                    same(program.exit_code(), 0, "the exit code")
                    assert time.monotonic() - began < 5, "it waited for nobody"
                try:
                    Wire(http).socket.close()
                    raise AssertionError("it still listens")
                except ConnectionRefusedError:
                    pass


@check("a silent connection does not hold up the end")
def drain_silent():
    with Program("--listen", ANY) as program:
        http = program.listening()
        with Wire(http) as silent, Wire(http) as later:
            later.request("GET /healthz")  # answered, so the one before it has been accepted, too
            same(later.response().status, 200, "the status")
            began = time.monotonic()
            program.signal(signal.SIGTERM)
            silent.ends()
            same(program.exit_code(), 0, "the exit code")
            assert time.monotonic() - began < 5, f"it took {time.monotonic() - began:.1f} s"


@check("draining waits for a peer that does not answer, within the close deadline")
def drain_deadline():
    with Program("--listen", ANY, "--close-timeout", "500ms") as program:
        with Wire(program.listening()).opened() as socket:
            program.signal(signal.SIGTERM)
            same(socket.frame()[1], CLOSE, "the opcode")
            same(program.exit_code(), 0, "the exit code")


@check("a second signal ends at once")
def second_signal():
    with Program("--listen", ANY, "--close-timeout", "1m") as program:
        with Wire(program.listening()).opened() as socket:
            program.signal(signal.SIGTERM)
            same(socket.frame()[1], CLOSE, "the opcode")
            began = time.monotonic()
            program.signal(signal.SIGTERM)
            program.exit_code()
            assert time.monotonic() - began < 3, "it went on"


@check("a port is free again as soon as the program is gone, killed or not")
def port_is_free():
    with Program("--listen", ANY) as program:
        http = program.listening()
        socket = Wire(http).opened()
        program.process.kill()
        program.exit_code()
    with Program("--listen", f"127.0.0.1:{port(http)}") as program:
        same(program.listening(), http, "the address")
        socket.socket.close()


# Threads.


@check("--threads 2: everybody in the chat hears everybody once and in order, whichever loop they are on")
def threads():
    with Program("--listen", ANY, "--threads", "2") as program:
        http = program.listening()
        guests = [Wire(http).opened("/chat") for _ in range(6)]  # the kernel may give all of them to one loop, and they say less than its half of the room takes in a second
        for at, guest in enumerate(guests):
            guest.send(frame(TEXT, b"guest %d" % at))
            while guest.frame()[2] != b"guest %d came in" % at:
                pass  # who came in a moment ago on the other loop may be heard of after oneself
        for line in range(4):
            for guest in guests:
                guest.send(frame(TEXT, b"line %d" % line))
        for guest in guests:
            heard = {}
            while sum(map(len, heard.values())) < 6 * 4:
                name, _, words = guest.frame()[2].partition(b": ")
                if words:
                    heard.setdefault(name, []).append(words)
            same(set(heard), {b"guest %d" % at for at in range(6)}, "who was heard")
            for lines in heard.values():
                same(lines, [b"line %d" % line for line in range(4)], "what was heard from one guest")
        guests[0].socket.close()
        for other in guests[1:]:
            same(other.frame()[2], b"guest 0 left", "the line")
        for guest in guests:
            guest.socket.close()


# Flags.


@check("--max-message: 8 MiB come back, one byte more is 1009")
def max_message():
    with Program("--listen", ANY, "--max-message", "8MiB", "--send-queue", "16MiB") as program:
        http = program.listening()
        with Wire(http).opened() as wire:
            payload = bytes(range(256)) * (8 << 12)
            wire.send(frame(checks.BINARY, payload))
            assert wire.frame() == (True, checks.BINARY, payload), "the echo of 8 MiB differs"
            wire.send(b"\x82\xff" + ((8 << 20) + 1).to_bytes(8, "big") + b"\0\0\0\0")
            wire.closed(1009)


@check("--allow-host and --allow-origin let in whom they name, and nobody else")
def allowed():
    with Program("--listen", ANY, "--allow-host", "www.example", "--allow-origin", "https://page.example") as program:
        http = program.listening()
        for host, status in (("www.example", 200), ("WWW.EXAMPLE:80", 200), ("localhost", 200), ("other.example", 403)):
            with Wire(http) as wire:
                wire.request("GET /healthz", host=host)
                same(wire.response().status, status, f"the status for {host}")
        for origin, status in (("https://page.example", 101), ("https://page.example.evil.example", 403), (http, 403)):
            with Wire(http) as wire:
                wire.upgrade(origin=origin)
                same(wire.response().status, status, f"the status for {origin}")


@check("--head-timeout: silence is ended in silence, half a head with 408")
def head_timeout():
    with Program("--listen", ANY, "--head-timeout", "300ms") as program:
        http = program.listening()
        with Wire(http) as wire:
            wire.ends()
        with Wire(http) as wire:
            wire.send(b"GET / HTTP/1.1\r\nHost:")
            same(wire.response().status, 408, "the status")
            wire.ends()


@check("--keep-alive and --body-timeout")
def other_deadlines():
    with Program("--listen", ANY, "--keep-alive", "300ms", "--body-timeout", "300ms") as program:
        http = program.listening()
        with Wire(http) as wire:
            wire.request("GET /healthz")
            same(wire.response().status, 200, "the status")
            wire.ends()
        with Wire(http) as wire:
            wire.request("POST /", "Content-Length: 3", body=b"a")
            same(wire.response().status, 408, "the status")
            wire.ends()


@check("--ping and --pong-timeout: who answers stays, who does not is gone")
def ping():
    with Program("--listen", ANY, "--ping", "200ms", "--pong-timeout", "300ms") as program:
        http = program.listening()
        with Wire(http).opened() as wire:
            for _ in range(3):
                _, opcode, payload = wire.frame()
                same(opcode, PING, "the opcode")
                wire.send(frame(PONG, payload))
            began = time.monotonic()
            while wire.socket.recv(1 << 16):
                assert time.monotonic() - began < 5, "it is still there"


@check("--heartbeat: a quiet stream gets comments")
def heartbeat():
    with Program("--listen", ANY, "--heartbeat", "100ms") as program:
        with stream(program.listening()) as wire:
            wire.until(b"\n:")
            wire.until(b"data: ")


@check("a client that never reads does not hold up the others")
def never_reads():
    with Program("--listen", ANY, "--write-timeout", "500ms") as program:
        http = program.listening()
        with Wire(http).opened() as greedy, Wire(http).opened() as other:
            greedy.socket.settimeout(1)
            data = frame(checks.BINARY, b"x" * 65536)
            try:
                for _ in range(1000):  # 64 MiB of echoes that nobody fetches: the server stops reading
                    greedy.send(data)
                raise AssertionError("the server reads on and on")
            except (socket.timeout, ConnectionError):
                pass
            other.send(frame(TEXT, b"still there"))
            same(other.frame(), (True, TEXT, b"still there"), "the echo")


checks.run()
