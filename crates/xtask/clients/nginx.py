"""Behind nginx, set up word for word as docs/deploying.md says: WebSocket, event streams and pages pass; foreign names do not."""

import contextlib
import pathlib
import re
import shutil
import socket
import subprocess
import tempfile

import checks
from checks import CLOSE, TEXT, Program, Wire, check, frame, listens, same

NAME = "www.example.org"
PAGE = pathlib.Path(__file__).resolve().parents[3] / "docs" / "deploying.md"


@contextlib.contextmanager
def nginx(http):
    """nginx in front of the program; gives its own address."""
    block = re.search(r"```nginx\n(.*?)```", PAGE.read_text(), re.DOTALL).group(1)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    block = block.replace("listen 80;", f"listen 127.0.0.1:{port};").replace("http://127.0.0.1:8080", http)
    assert str(port) in block and http in block, "deploying.md names other ports"
    with tempfile.TemporaryDirectory() as folder:
        places = "".join(f"{kind}_temp_path {folder}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        config = pathlib.Path(folder, "nginx.conf")
        config.write_text(f"daemon off; worker_processes 1; pid {folder}/pid; error_log {folder}/error;\nevents {{}}\nhttp {{ access_log off; {places}\n{block}}}\n")
        binary = shutil.which("nginx") or "/usr/sbin/nginx"
        proxy = subprocess.Popen([binary, "-c", config, "-e", f"{folder}/error"], stdin=subprocess.DEVNULL)
        try:
            for _ in range(200):
                if listens(port):
                    break
                assert proxy.poll() is None, pathlib.Path(folder, "error").read_text()
                with contextlib.suppress(subprocess.TimeoutExpired):
                    proxy.wait(0.05)
            yield f"http://127.0.0.1:{port}"
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


@check("a page of another origin is refused")
def foreign():
    with both("--allow-host", NAME) as outside, Wire(outside) as wire:
        wire.upgrade("/echo", host=NAME, origin="http://evil.example")
        same(wire.response().status, 403, "the status")


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


checks.run()
