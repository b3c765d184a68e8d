"""Behind nginx, set up word for word as docs/deploying.md says: WebSocket, event streams and pages pass; foreign names do not; and
the client's address arrives, over TCP and over a Unix socket."""

import contextlib
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile

import checks
from checks import CLOSE, TEXT, Program, Wire, check, frame, listens, same

NAME = "www.example.org"
PAGE = pathlib.Path(__file__).resolve().parents[3] / "docs" / "deploying.md"


class Outside(str):
    """Where nginx listens; and where it does with TLS."""

    def __new__(cls, http, port, trust):
        self = super().__new__(cls, http)
        self.port, self.trust = port, trust
        return self

    def secretly(self):
        """A connection with TLS, whose certificate is checked."""
        connected = socket.create_connection(("127.0.0.1", self.port), timeout=10)
        return Wire.from_socket(self.trust.wrap_socket(connected, server_hostname=NAME), NAME)


@contextlib.contextmanager
def nginx(http):
    """nginx in front of the program; gives its own address."""
    block = re.search(r"```nginx\n(map .*?)```", PAGE.read_text(), re.DOTALL).group(1)
    with socket.socket() as plain, socket.socket() as secret:
        for free in (plain, secret):
            free.bind(("127.0.0.1", 0))
        port, secret_port = plain.getsockname()[1], secret.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder:
        places = {"listen 80;": f"listen 127.0.0.1:{port};", "listen 443 ssl;": f"listen 127.0.0.1:{secret_port} ssl;", "/etc/ssl/www.example.org": folder, "http://127.0.0.1:8080": http}
        for place, ours in places.items():
            assert place in block, f"deploying.md does not say {place}"
            block = block.replace(place, ours)
        certificate = ["-subj", f"/CN={NAME}", "-addext", f"subjectAltName=DNS:{NAME}", "-out", f"{folder}/chain.pem", "-keyout", f"{folder}/key.pem"]
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", *certificate], check=True, stdin=subprocess.DEVNULL, capture_output=True)
        temporary = "".join(f"{kind}_temp_path {folder}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        config = pathlib.Path(folder, "nginx.conf")
        # Started by root its workers would be of another user, and a Unix socket is for its owner.
        user = "user root;" if os.geteuid() == 0 else ""
        config.write_text(f"{user} daemon off; worker_processes 1; pid {folder}/pid; error_log {folder}/error;\nevents {{}}\nhttp {{ access_log off; {temporary}\n{block}}}\n")
        binary = shutil.which("nginx") or "/usr/sbin/nginx"
        proxy = subprocess.Popen([binary, "-c", config, "-e", f"{folder}/error"], stdin=subprocess.DEVNULL)
        try:
            for _ in range(200):
                if listens(port):
                    break
                assert proxy.poll() is None, pathlib.Path(folder, "error").read_text()
                with contextlib.suppress(subprocess.TimeoutExpired):
                    proxy.wait(0.05)
            yield Outside(f"http://127.0.0.1:{port}", secret_port, ssl.create_default_context(cafile=f"{folder}/chain.pem"))
        finally:
            proxy.terminate()
            proxy.wait(10)


@contextlib.contextmanager
def both(*arguments):
    with Program("--listen", "127.0.0.1:0", *arguments) as program, nginx(program.listening()) as outside:
        yield outside


@check("pages, with keep-alive towards the client")
def pages():
    with both("--allow-host", NAME) as outside, Wire(outside) as wire:
        for _ in range(2):
            wire.request("GET /healthz", host=NAME)
            response = wire.response()
            same((response.status, response.body), (200, b"ok\n"), "the answer")


@check("a WebSocket opened by a page of the outer name, echo and close")
def web_socket():
    with both("--allow-host", NAME) as outside, Wire(outside) as wire:
        wire.upgrade("/echo", host=NAME, origin=f"http://{NAME}")
        wire.accepted()
        wire.send(frame(TEXT, b"through"))
        same(wire.frame(), (True, TEXT, b"through"), "the echo")
        wire.send(frame(CLOSE, b"\x03\xe8"))
        same(wire.frame(), (True, CLOSE, b"\x03\xe8"), "the Close")
        wire.ends()


@check("the same on a port that has to be said")
def another_port():
    with both("--allow-host", NAME) as outside, Wire(outside) as wire:
        port = outside.rsplit(":", 1)[1]
        wire.upgrade("/echo", host=f"{NAME}:{port}", origin=f"http://{NAME}:{port}")
        wire.accepted()


@check("with TLS: pages, and WebSockets of https: pages, whose Host and Origin name no port")
def tls():
    with both("--allow-host", NAME) as outside:
        with outside.secretly() as wire:
            wire.request("GET /healthz")
            same(wire.response().body, b"ok\n", "the answer")
        with outside.secretly() as wire:
            wire.upgrade("/echo", origin=f"https://{NAME}")
            wire.accepted()
            wire.send(frame(TEXT, b"in secret"))
            same(wire.frame(), (True, TEXT, b"in secret"), "the echo")
        with outside.secretly() as wire:
            wire.upgrade("/echo", origin=f"https://{NAME}.evil.example")
            same(wire.response().status, 403, "the status for another page")


@check("a page of another origin is refused, and the answer says what to do")
def foreign():
    with both("--allow-host", NAME) as outside, Wire(outside) as wire:
        wire.upgrade("/echo", host=NAME, origin="http://evil.example")
        response = wire.response()
        same(response.status, 403, "the status")
        assert b"--allow-origin" in response.body, response.body


@check("an event stream arrives event by event, not when a buffer is full")
def stream():
    with both("--allow-host", NAME) as outside, Wire(outside) as wire:
        wire.request("GET /tokens?text=one+two", host=NAME)
        wire.until(b"event: token\ndata: one \n\n")
        wire.until(b"event: token\ndata: two\n\n")
        wire.until(b"event: done\ndata: 2\n\n")


@check("without --allow-host the outer name is refused, and the answer says what to do")
def unnamed():
    with both() as outside, Wire(outside) as wire:
        wire.request("GET /healthz", host=NAME)
        response = wire.response()
        same(response.status, 403, "the status")
        assert b"--allow-host" in response.body, response.body


def asked_from(outside, source, *fields):
    """Asks nginx for a page and for a WebSocket, from a loopback address of our choice."""
    address = outside.removeprefix("http://").split(":")
    for path in ("/healthz", "/echo"):
        with Wire.from_socket(socket.create_connection((address[0], int(address[1])), timeout=10, source_address=(source, 0)), NAME) as wire:
            if path == "/healthz":
                wire.request(f"GET {path}", *fields)
                same(wire.response().status, 200, "the status")
            else:
                wire.upgrade(path, *fields)
                wire.accepted()
                wire.send(frame(CLOSE, b"\x03\xe8"))
                same(wire.frame()[1], CLOSE, "the opcode")


def addresses(program):
    """The addresses of the access log, for each request and for the end of what it opened, once the program is gone."""
    program.signal(signal.SIGTERM)
    same(program.exit_code(), 0, "the exit code")
    entries = [json.loads(line) for line in program.process.stdout]
    asked = {entry["id"]: entry.get("address") for entry in entries if entry["event"] == "answered"}
    sockets = [entry["id"] for entry in entries if entry.get("status") == 101]
    ended = [entry.get("address") for entry in entries if entry["event"] == "closed" and entry["id"] in sockets]
    return list(asked.values()) + ended


MADE_UP = ("X-Forwarded-For: 6.6.6.6", "Forwarded: for=6.6.6.6")


@check("the client's address arrives, and what a client makes up does not")
def client_address():
    logged = ("--allow-host", NAME, "--access-log", "json")
    for trusted, wanted in ((("--trusted-proxy", "127.0.0.1"), "127.0.0.9"), ((), "127.0.0.1")):
        with Program("--listen", "127.0.0.1:0", *logged, *trusted, stdout=subprocess.PIPE) as program:
            with nginx(program.listening()) as outside:
                asked_from(outside, "127.0.0.9", *MADE_UP)
            same(addresses(program), [wanted] * 3, f"the addresses with {trusted}")


@check("over a Unix socket, too, and any name passes")
def unix_socket():
    with tempfile.TemporaryDirectory() as folder:
        place = f"unix:{folder}/socket"
        for trusted, wanted in ((("--trusted-proxy", "unix"), "127.0.0.9"), ((), None)):
            with Program("--listen", place, "--access-log", "json", *trusted, stdout=subprocess.PIPE) as program:
                program.listening("unix:")
                with nginx(f"http://{place}") as outside:
                    asked_from(outside, "127.0.0.9", *MADE_UP)
                same(addresses(program), [wanted] * 3, f"the addresses with {trusted}")


checks.run()
