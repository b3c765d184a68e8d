"""RFC 6455 frame by frame, with bytes of our own: how they may be cut, and how each broken rule ends the connection."""

import checks
from checks import BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT, Wire, check, frame, same


def echo(wire, payload, opcode=TEXT):
    wire.send(frame(opcode, payload))
    same(wire.frame(), (True, opcode, payload), "the echo")


@check("frames directly behind the upgrade request are answered")
def behind_the_upgrade():
    with Wire() as wire:
        wire.upgrade(behind=frame(TEXT, b"first") + frame(PING, b"second") + frame(BINARY, b"third" * 1000))
        wire.accepted()
        same([wire.frame() for _ in range(3)], [(True, TEXT, b"first"), (True, PONG, b"second"), (True, BINARY, b"third" * 1000)], "the answers")


@check("a request directly behind the upgrade request is no request any more")
def request_behind_the_upgrade():
    with Wire() as wire:
        wire.upgrade(behind=b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        wire.accepted()
        wire.closed(1002)


@check("the upgrade and frames of every length form, byte by byte")
def drip():
    with Wire() as wire:
        wire.drip(
            f"GET /echo HTTP/1.1\r\nHost: {wire.host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
        )
        wire.key = "dGhlIHNhbXBsZSBub25jZQ=="
        wire.accepted()
        for payload in (b"", b"a", "grüße 😀".encode(), b"x" * 125, b"x" * 126, b"x" * 300):
            wire.drip(frame(TEXT, payload))
            same(wire.frame(), (True, TEXT, payload), "the echo")
        data = frame(BINARY, b"y" * 65536)
        wire.drip(data[:20])
        wire.send(data[20:])
        same(wire.frame(), (True, BINARY, b"y" * 65536), "the echo")


@check("two hundred frames in one packet")
def one_packet():
    with Wire().opened() as wire:
        wire.send(b"".join(frame(TEXT, b"%d" % at) + frame(PING, b"p%d" % at) for at in range(100)))
        for at in range(100):
            same(wire.frame(), (True, TEXT, b"%d" % at), "the echo")
            same(wire.frame(), (True, PONG, b"p%d" % at), "the pong")


@check("every mask key, the zero key and every alignment")
def masks():
    with Wire().opened() as wire:
        for key in (b"\0\0\0\0", b"\xff\xff\xff\xff", b"\x01\x02\x03\x04"):
            for size in range(20):
                payload = bytes(range(size))
                wire.send(frame(BINARY, payload, key=key))
                same(wire.frame(), (True, BINARY, payload), "the echo")


@check("a message in parts with pings between is one message, and the pongs come first")
def parts():
    with Wire().opened() as wire:
        for parts in ([b"a", b"b", b"c"], [b"", b"", b""], ["ü".encode()[:1], "ü".encode()[1:], b"!"], [b"x" * 70000, b"y" * 70000, b""]):
            for at, part in enumerate(parts):
                wire.send(frame(TEXT if at == 0 else CONTINUATION, part, fin=at == len(parts) - 1))
                if at < len(parts) - 1:
                    wire.send(frame(PING, b"%d" % at))
                    same(wire.frame(), (True, PONG, b"%d" % at), "the pong")
            same(wire.frame(), (True, TEXT, b"".join(parts)), "the echo")


@check("a close is answered with its code, an empty one without or with 1000")
def close():
    for code in (1000, 1001, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 4999):
        with Wire().opened() as wire:
            wire.send(frame(CLOSE, code.to_bytes(2, "big") + "adé".encode()))
            _, opcode, payload = wire.frame()
            same((opcode, payload[:2]), (CLOSE, code.to_bytes(2, "big")), f"the answer to {code}")
            wire.ends()
    with Wire().opened() as wire:
        wire.send(frame(CLOSE) + frame(TEXT, b"after the Close"))
        _, opcode, payload = wire.frame()
        same(opcode, CLOSE, "the opcode")
        assert payload in (b"", b"\x03\xe8"), f"the payload is {payload!r}"
        wire.ends()


def fails(cases, code):
    """Each of these byte strings fails a fresh connection with this code; what was sent before it is still answered."""
    for name, data in cases.items():
        try:
            with Wire().opened() as wire:
                echo(wire, b"before")
                wire.send(data)
                wire.closed(code)
        except (AssertionError, OSError) as fault:
            raise AssertionError(f"{name}: {fault}") from None
    return f"{len(cases)} ways"


@check("1002: a broken frame")
def protocol_errors():
    key = b"\0\0\0\0"
    return fails(
        {
            "unmasked text": frame(TEXT, b"bare", masked=False),
            "unmasked ping": frame(PING, masked=False),
            "unmasked close": frame(CLOSE, masked=False),
            "RSV1": frame(TEXT, b"a", reserved=0x40),
            "RSV2": frame(TEXT, b"a", reserved=0x20),
            "RSV3": frame(PING, b"", reserved=0x10),
            "opcode 3": frame(0x3, b"a"),
            "opcode 7": frame(0x7),
            "opcode 11": frame(0xB),
            "opcode 15": frame(0xF),
            "ping in parts": frame(PING, b"a", fin=False),
            "close in parts": frame(CLOSE, b"", fin=False),
            "ping of 126 bytes": frame(PING, b"x" * 126),
            "close of 126 bytes": frame(CLOSE, b"\x03\xe8" + b"x" * 124),
            "a continuation of nothing": frame(CONTINUATION, b"a"),
            "a message in a message": frame(TEXT, b"a", fin=False) + frame(TEXT, b"b"),
            "16 bits for 125": b"\x82\xfe\x00\x7d" + key + b"x" * 125,
            "64 bits for 65535": b"\x82\xff" + (65535).to_bytes(8, "big") + key + b"x" * 65535,
            "a length with the top bit": b"\x82\xff" + b"\xff" * 8 + key,
            "a close of one byte": frame(CLOSE, b"\x03"),
            **{f"close code {code}": frame(CLOSE, code.to_bytes(2, "big")) for code in (0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65535)},
        },
        1002,
    )


@check("1007: text that is not UTF-8, as soon as it cannot become UTF-8")
def not_text():
    def begun(payload):
        return frame(TEXT, payload + b"x" * 500)[: 8 + len(payload)]  # the frame promises more than it sends

    return fails(
        {
            "a lone continuation byte": frame(TEXT, b"\x80"),
            "a surrogate": frame(TEXT, b"\xed\xa0\x80"),
            "an overlong form": frame(TEXT, b"\xc0\xaf"),
            "beyond the last": frame(TEXT, b"\xf4\x90\x80\x80"),
            "cut off": frame(TEXT, "ü".encode()[:1]),
            "cut off across parts": frame(TEXT, "😀".encode()[:3], fin=False) + frame(CONTINUATION),
            "broken across parts": frame(TEXT, b"\xe2\x82", fin=False) + frame(CONTINUATION, b"\x41", fin=False),
            "in an unfinished frame": begun(b"abc\xff"),
            "in an unfinished frame, by its second byte": begun(b"\xf4\x90"),
            "a close reason": frame(CLOSE, b"\x03\xe8\xff"),
        },
        1007,
    )


@check("1009: a declared length beyond the limit, before any of it arrives")
def too_large():
    key = b"\0\0\0\0"
    return fails(
        {
            "1 MiB + 1": b"\x82\xff" + ((1 << 20) + 1).to_bytes(8, "big") + key,
            "2^32 + 10, of which 10 arrive": b"\x82\xff" + ((1 << 32) + 10).to_bytes(8, "big") + key + b"x" * 10,
            "2^62": b"\x81\xff" + (1 << 62).to_bytes(8, "big") + key,
            "2^63 - 1": b"\x82\xff" + ((1 << 63) - 1).to_bytes(8, "big") + key,
            "in the second part": frame(BINARY, b"x", fin=False) + b"\x80\xff" + (1 << 20).to_bytes(8, "big") + key,
            "a sum of 64 bits": frame(BINARY, b"x", fin=False) + b"\x80\xff" + ((1 << 63) - 1).to_bytes(8, "big") + key,
        },
        1009,
    )


@check("what stands before a broken frame in the same packet is answered")
def before_the_fault():
    with Wire().opened() as wire:
        wire.send(frame(TEXT, b"whole") + frame(TEXT, b"open", fin=False) + frame(PING, b"p") + frame(TEXT, b"broken", masked=False))
        same(wire.frame(), (True, TEXT, b"whole"), "the echo")
        same(wire.frame(), (True, PONG, b"p"), "the pong")
        wire.closed(1002)


checks.run()
