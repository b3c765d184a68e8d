"""What the checks in Python share: a register of checks, a bound in time for each, and sockets that speak plainly.

A script defines checks, then calls `run()`. Each prints one line, `ok    NAME` or `FAIL  NAME: WHY`; the exit code is 1 if one failed.
"""

import asyncio
import base64
import hashlib
import inspect
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import traceback
from urllib.parse import urlsplit

BOUND = 60  # seconds that one check may take

_checks = []


def check(name):
    """Registers a function, plain or async, as a check."""

    def register(function):
        _checks.append((name, function))
        return function

    return register


def same(seen, wanted, what):
    """Fails unless both are equal; long values are shown by their beginning."""
    assert seen == wanted, f"{what} is {_short(seen)}, not {_short(wanted)}"


def _short(value):
    text = repr(value)
    return text if len(text) <= 200 else f"{text[:160]}… ({len(value)} long)"


class _TooLong(BaseException):
    """Not an Exception: no client library may swallow it."""


def _alarm(*_):
    raise _TooLong


def run(checks=None):
    """Runs every check that was registered, in order, and leaves with the verdict."""
    signal.signal(signal.SIGALRM, _alarm)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that `with` and `finally` clean up
    failed = 0
    for name, function in checks or _checks:
        signal.alarm(BOUND)
        try:
            note = asyncio.run(function()) if inspect.iscoroutinefunction(function) else function()
            print(f"ok    {name}" + (f": {note}" if note else ""), flush=True)
        except (Exception, _TooLong) as fault:
            failed += 1
            why = f"no end after {BOUND} s" if isinstance(fault, _TooLong) else f"{type(fault).__name__}: {fault}"
            calls = [call.lineno for call in traceback.extract_tb(fault.__traceback__) if os.path.basename(call.filename) == os.path.basename(sys.argv[0])]
            print(f"FAIL  {name}: {' | '.join(why.splitlines())} (line {calls[-1] if calls else '?'})", flush=True)
        finally:
            signal.alarm(0)
    sys.exit(1 if failed else 0)


def base():
    """The address of the server under test: the first argument."""
    return sys.argv[1]


def web_socket_url(path, http=None):
    return (http or base()).replace("http://", "ws://") + path


class Response:
    """What was answered: status, fields (names in lower case, repeated ones joined) and body."""

    def __init__(self, version, status, reason, fields, body):
        self.version, self.status, self.reason, self.fields, self.body = version, status, reason, fields, body

    def tokens(self, name):
        return [token.strip().lower() for token in self.fields.get(name, "").split(",") if token.strip()]


class Wire:
    """A TCP connection on which every byte is ours. Nothing waits longer than ten seconds."""

    def __init__(self, http=None):
        address = urlsplit(http or base())
        self.host = address.netloc
        self.socket = socket.create_connection((address.hostname, address.port), timeout=10)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.received = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data if isinstance(data, bytes) else data.replace("\n", "\r\n").encode())

    def drip(self, data):
        """Sends every byte in a packet of its own."""
        for at in range(len(data)):
            self.socket.sendall(data[at : at + 1])

    def request(self, line, *fields, host=None, body=b""):
        """Sends a request: the line without its version, and fields as they stand."""
        head = [f"{line} HTTP/1.1", f"Host: {host or self.host}", *fields]
        self.send("\r\n".join(head).encode() + b"\r\n\r\n" + body)

    def _more(self):
        data = self.socket.recv(1 << 16)
        self.received += data
        return bool(data)

    def take(self, count):
        while len(self.received) < count:
            assert self._more(), f"the connection ended after {self.received!r}, {count} bytes were awaited"
        taken, self.received = self.received[:count], self.received[count:]
        return taken

    def until(self, mark):
        while mark not in self.received:
            assert self._more(), f"the connection ended after {self.received!r}, {mark!r} was awaited"
        return self.take(self.received.index(mark) + len(mark))

    def response(self, to="GET"):
        """Reads one response, whose length is known from its head."""
        head = self.until(b"\r\n\r\n").decode("latin-1")
        status_line, *lines = head[:-4].split("\r\n")
        match = re.fullmatch(r"(HTTP/1\.[01]) (\d{3}) ?(.*)", status_line)
        assert match, f"the status line is {status_line!r}"
        fields = {}
        for line in lines:
            name, colon, value = line.partition(":")
            assert colon and re.fullmatch(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", name), f"a field line is {line!r}"
            name, value = name.lower(), value.strip(" \t")
            fields[name] = f"{fields[name]}, {value}" if name in fields else value
        status = int(match[2])
        if status >= 200:
            assert re.fullmatch(r"\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT", fields.get("date", "")), f"Date is {fields.get('date')!r}"
        without = status < 200 or status in (204, 304) or to == "HEAD"
        body = b"" if without else self.take(int(fields["content-length"]))
        return Response(match[1], status, match[3], fields, body)

    def ends(self):
        """Fails unless nothing more comes, and then a FIN: a reset shows as ConnectionResetError."""
        data, self.received = self.received, b""
        while more := self.socket.recv(1 << 16):
            data += more
        same(data, b"", "what came behind the last answer")

    @classmethod
    def from_socket(cls, connected, host):
        """A connection that was made elsewhere."""
        wire = cls.__new__(cls)
        wire.socket, wire.host, wire.received = connected, host, b""
        return wire

    @classmethod
    def over(cls, path):
        """A connection to a Unix socket."""
        connecting = socket.socket(socket.AF_UNIX)
        connecting.settimeout(10)
        connecting.connect(str(path))
        return cls.from_socket(connecting, "any.example")

    # RFC 6455, by hand.

    def upgrade(self, path="/echo", *fields, version="13", host=None, behind=b"", origin=None):
        """Sends an opening handshake, and with it whatever is to stand directly behind it."""
        self.key = base64.b64encode(os.urandom(16)).decode()
        asked = ["Upgrade: websocket", "Connection: Upgrade", f"Sec-WebSocket-Key: {self.key}", f"Sec-WebSocket-Version: {version}"]
        if origin:
            asked.append(f"Origin: {origin}")
        self.request(f"GET {path}", *asked, *fields, host=host, body=behind)

    def accepted(self):
        """Reads the 101 and checks that it answers our key."""
        response = self.response()
        same(response.status, 101, "the status")
        digest = hashlib.sha1((self.key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode()).digest()
        same(response.fields.get("sec-websocket-accept"), base64.b64encode(digest).decode(), "Sec-WebSocket-Accept")
        same(response.tokens("upgrade"), ["websocket"], "Upgrade")
        same(response.tokens("connection"), ["upgrade"], "Connection")
        return response

    def opened(self, path="/echo"):
        self.upgrade(path)
        self.accepted()
        return self

    def frame(self):
        """Reads one frame of the server: (fin, opcode, payload). Its length must be in the shortest form, its key absent."""
        first, second = self.take(2)
        same(first & 0x70, 0, "the reserved bits")
        same(second & 0x80, 0, "the mask bit of a server's frame")
        length = second & 0x7F
        if length == 126:
            length = int.from_bytes(self.take(2), "big")
            assert length > 125, f"the length {length} is not in its shortest form"
        elif length == 127:
            length = int.from_bytes(self.take(8), "big")
            assert length > 0xFFFF, f"the length {length} is not in its shortest form"
        return bool(first & 0x80), first & 0x0F, self.take(length)

    def closed(self, code):
        """Reads a Close with this code, which is the last that comes, and answers it."""
        fin, opcode, payload = self.frame()
        same((fin, opcode), (True, CLOSE), "the frame's FIN and opcode")
        same(int.from_bytes(payload[:2], "big"), code, "the close code")
        payload[2:].decode("utf-8")
        try:
            self.send(frame(CLOSE, payload[:2]))
        except ConnectionError:
            pass  # who failed the connection need not listen any more
        self.ends()


CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA


def frame(opcode, payload=b"", fin=True, masked=True, reserved=0, key=None):
    """A client's frame as bytes."""
    length = len(payload)
    first = (0x80 if fin else 0) | reserved | opcode
    bit = 0x80 if masked else 0
    if length < 126:
        head = bytes([first, bit | length])
    elif length <= 0xFFFF:
        head = bytes([first, bit | 126]) + length.to_bytes(2, "big")
    else:
        head = bytes([first, bit | 127]) + length.to_bytes(8, "big")
    if not masked:
        return head + payload
    key = key or os.urandom(4)
    stream = (key * (length // 4 + 1))[:length]
    covered = (int.from_bytes(payload, "big") ^ int.from_bytes(stream, "big")).to_bytes(length, "big")
    return head + key + covered


def listens(port):
    """Whether somebody takes connections on a port of this machine."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
        return True
    except ConnectionRefusedError:
        return False


class Program:
    """A server process of our own, which does not outlive the `with` block. Its log is kept line by line."""

    def __init__(self, *arguments, executable=None, through=(), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, **options):
        command = [*through, executable or os.environ["LONGWIRE"], *arguments]
        self.process = subprocess.Popen(command, stdin=stdin, stdout=stdout, stderr=subprocess.PIPE, text=True, **options)
        self.lines, self.more = [], threading.Condition()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        for line in self.process.stderr:
            with self.more:
                self.lines.append(line.rstrip("\n"))
                self.more.notify_all()
        with self.more:
            self.lines.append(None)
            self.more.notify_all()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()

    def listening(self, scheme="http://"):
        """Waits until the program says where it listens, and returns that address."""
        found = re.compile(rf"listening on ({scheme}\S+)")
        end = time.monotonic() + 20
        with self.more:
            while True:
                for line in self.lines:
                    assert line is not None, f"the program ended: {self.lines[:-1]}"
                    if match := found.search(line):
                        return match[1]
                assert self.more.wait(end - time.monotonic()), f"nothing listens: {self.lines}"

    def reachable(self, port):
        """Waits until a port takes connections: for programs that say nothing."""
        end = time.monotonic() + 20
        while not listens(port):
            assert self.process.poll() is None, f"the program ended: {self.lines}"
            assert time.monotonic() < end, f"nothing listens on {port}"
            time.sleep(0.01)
        return f"http://127.0.0.1:{port}"

    def signal(self, number):
        self.process.send_signal(number)

    def exit_code(self):
        return self.process.wait(timeout=20)

    def log(self):
        """All that the program has said, once it is gone."""
        with self.more:
            while None not in self.lines:
                assert self.more.wait(5), "the log has no end"
            return "\n".join(self.lines[:-1])
