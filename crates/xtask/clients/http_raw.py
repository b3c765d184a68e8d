"""HTTP/1.1 byte by byte: what a head may be, how requests follow each other, and what an upgrade that is refused leaves behind."""

import checks
from checks import Wire, check, same

OK = b"ok\n"


def answered_once(wire, status, to="GET"):
    """One response with this status that ends the connection, and nothing behind it."""
    response = wire.response(to)
    same(response.status, status, "the status")
    assert "close" in response.tokens("connection"), f"Connection is {response.fields.get('connection')!r}"
    wire.ends()
    return response


def refused(data, status):
    with Wire() as wire:
        try:
            wire.send(data)
        except ConnectionError:
            pass  # it need not have listened to the end
        return answered_once(wire, status)


# Requests and what follows them.


@check("keep-alive: one connection, many requests")
def keep_alive():
    with Wire() as wire:
        for _ in range(5):
            wire.request("GET /healthz")
            response = wire.response()
            same((response.status, response.body), (200, OK), "the answer")
            assert "close" not in response.tokens("connection"), "the connection is said to end"
        wire.request("GET /healthz", "Connection: close")
        same(answered_once(wire, 200).body, OK, "the last answer")


@check("pipelining: three requests in one packet, answered in order")
def pipelining():
    with Wire() as wire:
        requests = [f"{line} HTTP/1.1\r\nHost: {wire.host}\r\n\r\n" for line in ("GET /healthz", "GET /nothing", "GET /page.css")]
        wire.send("".join(requests).encode())
        first, second, third = wire.response(), wire.response(), wire.response()
        same((first.status, first.body, second.status, third.status), (200, OK, 404, 200), "the answers")
        assert third.fields["content-type"].startswith("text/css"), "the third answer is not the third request's"


@check("pipelining: a hundred requests, and the last one closes")
def pipelining_many():
    with Wire() as wire:
        wire.send(f"GET /healthz HTTP/1.1\nHost: {wire.host}\n\n" * 99 + f"GET /healthz HTTP/1.1\nHost: {wire.host}\nConnection: close\n\n" * 2)
        for _ in range(99):
            same(wire.response().status, 200, "the status")
        answered_once(wire, 200)


@check("HEAD: the head of GET, without the body")
def head():
    with Wire() as wire:
        for path in ("/", "/healthz", "/page.js"):
            wire.request(f"GET {path}")
            get = wire.response()
            wire.request(f"HEAD {path}")
            head = wire.response("HEAD")
            same(head.status, 200, "the status")
            same(head.fields["content-length"], str(len(get.body)), "Content-Length")
            same(head.fields["content-type"], get.fields["content-type"], "Content-Type")
        wire.request("HEAD /nothing")
        same(wire.response("HEAD").status, 404, "the status")


@check("the page may load nothing from elsewhere")
def page():
    with Wire() as wire:
        wire.request("GET /")
        response = wire.response()
        assert "default-src 'none'" in response.fields["content-security-policy"], "the policy is open"
        same(response.fields["x-content-type-options"], "nosniff", "X-Content-Type-Options")


@check("404 leaves the connection open")
def not_found():
    with Wire() as wire:
        for path in ("/nothing", "/healthz/", "/%68ealthz/x", "/page.css.map"):
            wire.request(f"GET {path}")
            same(wire.response().status, 404, f"the status of {path}")
        wire.request("GET /healthz?query=ignored")
        same(wire.response().status, 200, "the status")


@check("405 says what is allowed")
def not_allowed():
    with Wire() as wire:
        for line in ("POST /", "PUT /healthz", "DELETE /clock", "PATCH /echo"):
            wire.request(line, "Content-Length: 3", body=b"abc")
            response = wire.response()
            same(response.status, 405, f"the status of {line}")
            same(sorted(response.tokens("allow")), ["get", "head"], "Allow")


@check("a body is read whole, whatever it is for: by its length, in chunks, byte by byte")
def bodies():
    with Wire() as wire:
        for body in (b"", b"x", b"x" * 70_000, b"x" * (1 << 20)):
            wire.request("POST /", f"Content-Length: {len(body)}", body=body)
            same(wire.response().status, 405, "the status")
        chunked = b"5\r\nhello\r\n1;extension=\"a b\"\r\n!\r\n0\r\nTrailer: is ignored\r\n\r\n"
        wire.request("POST /", "Transfer-Encoding: chunked", body=chunked)
        same(wire.response().status, 405, "the status")
        wire.request("POST /", "Transfer-Encoding: chunked")
        wire.drip(chunked)
        same(wire.response().status, 405, "the status")
        wire.request("GET /healthz")
        same(wire.response().body, OK, "the answer behind the bodies")


@check("413: a body beyond 1 MiB, before it is sent")
def too_large():
    with Wire() as wire:
        wire.request("POST /", f"Content-Length: {(1 << 20) + 1}")
        answered_once(wire, 413)
    for size, status in ((b"100001", 413), (b"10000000000000000", 400), (b"f" * 17, 400)):  # 2^64 is no size, least of all 0
        with Wire() as wire:
            wire.request("POST /", "Transfer-Encoding: chunked", body=size + b"\r\n")
            answered_once(wire, status)


@check("Expect: 100-continue is answered before the body, and not where 413 follows")
def expect():
    with Wire() as wire:
        wire.request("POST /", "Content-Length: 3", "Expect: 100-continue")
        same(wire.response().status, 100, "the first status")
        wire.send(b"abc")
        same(wire.response().status, 405, "the status")
        wire.request("POST /", "Content-Length: 3", "Expect: 100-continue", body=b"abc")
        status = wire.response().status  # RFC 9110 §10.1.1: with the body there, 100 may be left out
        same(wire.response().status if status == 100 else status, 405, "the status")
        wire.request("POST /", "Content-Length: 9999999", "Expect: 100-continue")
        answered_once(wire, 413)


# Heads.


@check("a head sent byte by byte")
def drip():
    with Wire() as wire:
        for _ in range(2):
            wire.drip(f"GET /healthz HTTP/1.1\r\nHost: {wire.host}\r\nAccept: */*\r\n\r\n".encode())
            same(wire.response().body, OK, "the answer")


@check("one empty line may stand before a request")
def empty_line():
    with Wire() as wire:
        for _ in range(2):
            wire.send(b"\r\n")
            wire.request("GET /healthz")
            same(wire.response().body, OK, "the answer")


@check("400: what opens request smuggling")
def malformed():
    host = b"Host: 127.0.0.1\r\n"
    for head in (
        b"GET /healthz HTTP/1.1\n" + host + b"\r\n",
        b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\n\n",
        b"GET /healthz HTTP/1.1\r\n" + host + b"A: b\rc\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\n" + host + b"A : b\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\n" + host + b"A: b\r\n c\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\n" + host + b"A: b\0c\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\n" + host + b": b\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\n" + host + b"no colon\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\n" + host + host + b"\r\n",
        b"GET /healthz HTTP/1.1\r\nHost: a b\r\n\r\n",
        b"GET  /healthz HTTP/1.1\r\n" + host + b"\r\n",
        b"GET /healthz  HTTP/1.1\r\n" + host + b"\r\n",
        b"GET /heal\x80thz HTTP/1.1\r\n" + host + b"\r\n",
        b"GET healthz HTTP/1.1\r\n" + host + b"\r\n",
        b"GET /healthz HTTP/1.1 \r\n" + host + b"\r\n",
        b"GET /healthz http/1.1\r\n" + host + b"\r\n",
        b"GET /healthz XTTP/1.1\r\n" + host + b"\r\n",
        b"GET /healthz\r\n" + host + b"\r\n",
        b"G(T /healthz HTTP/1.1\r\n" + host + b"\r\n",
        b"\r\n\r\nGET /healthz HTTP/1.1\r\n" + host + b"\r\n",
        b"\0GET /healthz HTTP/1.1\r\n" + host + b"\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"POST / HTTP/1.1\r\n" + host + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"POST / HTTP/1.1\r\n" + host + b"Content-Length: +3\r\n\r\n",
        b"POST / HTTP/1.1\r\n" + host + b"Content-Length: 3, 3\r\n\r\n",
        b"POST / HTTP/1.1\r\n" + host + b"Content-Length: 3\r\nContent-Length: 3\r\n\r\n",
        b"POST / HTTP/1.1\r\n" + host + b"Content-Length: 99999999999999999999999\r\n\r\n",
        b"POST / HTTP/1.1\r\n" + host + b"Transfer-Encoding: chunked, identity\r\n\r\n",
        b"POST / HTTP/1.1\r\n" + host + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"POST / HTTP/1.1\r\n" + host + b"Transfer-Encoding: chunked\r\n\r\n3\nabc",
        b"POST / HTTP/1.1\r\n" + host + b"Transfer-Encoding: chunked\r\n\r\n-3\r\nabc",
        b"POST / HTTP/1.0\r\n" + host + b"Transfer-Encoding: chunked\r\n\r\n",
    ):
        try:
            refused(head, 400)
        except (AssertionError, OSError) as fault:
            raise AssertionError(f"{head!r}: {fault}") from None


@check("431: a head of 17 KiB, and 101 fields; 414: a target of 9 KiB")
def limits():
    host = b"Host: 127.0.0.1\r\n"
    refused(b"GET / HTTP/1.1\r\n" + host + b"A: " + b"x" * (17 << 10) + b"\r\n\r\n", 431)
    refused(b"GET / HTTP/1.1\r\n" + host + b"A: " + b"x" * (17 << 10), 431)  # without its end
    refused(b"GET / HTTP/1.1\r\n" + host + b"".join(b"A%d: b\r\n" % at for at in range(100)) + b"\r\n", 431)
    refused(b"GET /" + b"x" * (9 << 10) + b" HTTP/1.1\r\n" + host + b"\r\n", 414)
    with Wire() as wire:  # just below
        wire.request("GET /healthz?" + "x" * (8000), *(f"A{at}: b" for at in range(99)))
        same(wire.response().status, 200, "the status just below the limits")


@check("501: a transfer coding that is not known; 505: another version")
def not_known():
    refused(b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", 501)
    refused(b"GET / HTTP/2.0\r\nHost: 127.0.0.1\r\n\r\n", 505)


@check("HTTP/1.0 is answered and closed, whatever upgrade it asks for")
def http_1_0():
    for fields in (b"Host: 127.0.0.1\r\n", b"Host: localhost\r\nUpgrade: websocket\r\nConnection: upgrade\r\n"):
        with Wire() as wire:
            wire.send(b"GET /healthz HTTP/1.0\r\n" + fields + b"\r\n")
            same(wire.response().body, OK, "the answer")
            wire.ends()


@check("an absolute target takes the place of Host")
def absolute():
    with Wire() as wire:
        wire.request(f"GET http://{wire.host}/healthz", host="127.0.0.1")
        same(wire.response().body, OK, "the answer")
        wire.request("GET http://elsewhere.example/healthz")
        answered_once(wire, 403)


@check("403: a foreign Host on loopback, which says how to allow it")
def foreign_host():
    for host in ("rebound.example", "rebound.example:80", "127.0.0.1.example", "10.0.0.1", "localhost.example"):
        with Wire() as wire:
            wire.request("GET /healthz", host=host)
            response = answered_once(wire, 403)
            assert b"--allow-host" in response.body, f"the text is {response.body!r}"
        with Wire() as wire:
            wire.upgrade(host=host)
            answered_once(wire, 403)
    with Wire() as wire:
        for host in ("localhost", "LocalHost:1", "127.0.0.1:80", "[::1]", "[::1]:8080"):
            wire.request("GET /healthz", host=host)
            same(wire.response().status, 200, f"the status for {host}")


# Upgrades that are refused: RFC 9931 on what follows them.


def refused_upgrade(status, path="/echo", *fields, **options):
    """An upgrade that is refused, with a request behind it that must never be answered."""
    with Wire() as wire:
        behind = f"GET /healthz HTTP/1.1\r\nHost: {wire.host}\r\n\r\n".encode()
        wire.upgrade(path, *fields, behind=behind, **options)
        return answered_once(wire, status)


@check("426 names the version; nothing behind it is answered")
def upgrade_required():
    for version in ("99", "8", "0", ""):
        response = refused_upgrade(426, version=version)
        same(response.tokens("upgrade"), ["websocket"], "Upgrade")
        same(sorted(response.tokens("connection")), ["close", "upgrade"], "Connection")
        same(response.fields.get("sec-websocket-version"), "13", "Sec-WebSocket-Version")


@check("403: a page of another Origin; the page's own and none may")
def foreign_origin():
    with Wire() as wire:
        own = wire.host
    for origin in ("https://elsewhere.example", "null", f"http://{own}.example", f"http://{own}/", "http://127.0.0.1:1", "file://", "%"):
        refused_upgrade(403, origin=origin)
    for origin in (f"http://{own}", f"HTTP://{own}".lower(), None):
        with Wire() as wire:
            wire.upgrade(origin=origin)
            wire.accepted()


@check("400: an upgrade that lacks something; nothing behind it is answered")
def incomplete_upgrade():
    key, version = "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==", "Sec-WebSocket-Version: 13"
    upgrade, connection = "Upgrade: websocket", "Connection: Upgrade"
    for fields in (
        (upgrade, connection, version),
        (upgrade, connection, version, "Sec-WebSocket-Key: AAAA"),
        (upgrade, connection, version, key, key),
        (upgrade, version, key),
        (upgrade, connection, version, key, "Sec-WebSocket-Extensions: a; b=\"\\c\\c\\c"),
        (upgrade, connection, version, key, "Sec-WebSocket-Protocol: a b"),
        (upgrade, connection, version, key, "Content-Length: 3"),
    ):
        with Wire() as wire:
            wire.request("GET /echo", *fields, body=f"GET /healthz HTTP/1.1\r\nHost: {wire.host}\r\n\r\n".encode())
            answered_once(wire, 400)


@check("tokens in any case, lists and repeated fields make an upgrade, too")
def lists():
    with Wire() as wire:
        wire.key = "dGhlIHNhbXBsZSBub25jZQ=="
        wire.request("GET /echo", "upgrade: h2c , WebSocket", "connection: keep-alive", "CONNECTION: uPgRaDe", f"Sec-WebSocket-Key: {wire.key}", "Sec-WebSocket-Version: 13", "Content-Length: 0")
        same(wire.accepted().fields["sec-websocket-accept"], "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", "the accept of RFC 6455 §1.3")


@check("/healthz asked for an upgrade answers, and is the last of its connection")
def healthz():
    for path, status in (("/healthz", 200), ("/", 200), ("/nothing", 404)):
        refused_upgrade(status, path)


@check("h2c is ignored")
def h2c():
    with Wire() as wire:
        for _ in range(2):
            wire.request("GET /healthz", "Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAAQAAP__")
            same(wire.response().body, OK, "the answer")


checks.run()
