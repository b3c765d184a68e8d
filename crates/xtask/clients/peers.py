"""What the checks of peers share, in Python: which messages, which close codes, and our own client as a process."""

import asyncio
import os

import aiohttp
from checks import same

LARGEST = 64 << 20
SIZES = [0, 1, 125, 126, 127, 65535, 65536, 65537, 1 << 20, LARGEST]
CODES = [1000, 1001, 1002, 1003, *range(1007, 1015), 3000, 3999, 4000, 4999]  # RFC 6455 §7.4, and IANA's registry
REASONS = ["", "done", "grüße 😀", "r" * 123]  # the last one fills its frame


def partings():
    """Every code, with one reason or another."""
    return [(code, REASONS[number % len(REASONS)]) for number, code in enumerate(CODES)]


def messages():
    """Text and binary of every size."""
    for size in SIZES:
        yield "".join(chr(0x21 + at % 90) for at in range(min(size, 1000))) + "x" * max(0, size - 1000)
        yield os.urandom(size) if size < LARGEST else os.urandom(1000) * (size // 1000)  # what can be compressed, or it takes seconds
    yield "😀" * (LARGEST // 4)


# What may be agreed on for permessage-deflate (RFC 7692 §7.1), by the names that `websockets` has for it.
FORMS = [
    {},
    {"server_no_context_takeover": True},
    {"client_no_context_takeover": True},
    {"server_max_window_bits": 9, "client_max_window_bits": 10},
    {"server_no_context_takeover": True, "client_no_context_takeover": True, "server_max_window_bits": 12, "client_max_window_bits": 9},
]


def again_and_again():
    """Messages that refer to those before them where a window is kept, and give nonsense where one was forgotten by one side."""
    noise = [os.urandom(size) for size in (1, 100, 700, 5_000)]
    for round in range(5):
        yield f"round {round}: " + "so it goes on, and on; " * 60
        yield from noise
        yield ""
        yield b"".join(noise)


def equal(seen, wanted):
    same((type(seen), len(seen)), (type(wanted), len(wanted)), "type and length of the echo")
    assert seen == wanted, f"the echo of {len(wanted)} differs"


async def visit(port, path="/", protocols=()):
    """Our client visits a server. Returns its lines: what it says when it was opened, and how it ended."""
    process = await asyncio.create_subprocess_exec(os.environ["COUNTERPART"], "visit", f"127.0.0.1:{port}", path, *protocols, stdout=asyncio.subprocess.PIPE)
    try:
        said, _ = await asyncio.wait_for(process.communicate(), 40)
    except BaseException:
        process.kill()
        raise
    same(process.returncode, 0, "the exit code of our client")
    return said.decode().splitlines()


class Websockets:
    """An end of a WebSocket that the package `websockets` holds."""

    def __init__(self, socket):
        self.socket = socket

    async def send(self, message):
        await self.socket.send(message)

    async def receive(self):
        return await self.socket.recv()

    async def ping(self, payload):
        await (await self.socket.ping(payload))  # matched by its payload

    async def close(self, code, reason):
        await self.socket.close(code, reason)
        return self.socket.protocol.close_rcvd.code

    async def closed(self):
        await self.socket.wait_closed()
        return self.socket.protocol.close_rcvd.code, self.socket.protocol.close_rcvd.reason

    def protocol(self):
        return self.socket.subprotocol


class Aiohttp:
    """An end of a WebSocket that the package `aiohttp` holds. It does not send fragments."""

    def __init__(self, socket):
        self.socket = socket

    async def send(self, message):
        await (self.socket.send_str(message) if isinstance(message, str) else self.socket.send_bytes(message))

    async def receive(self):
        return (await self.socket.receive()).data

    async def ping(self, payload):
        await self.socket.ping(payload)
        answer = await self.socket.receive()
        same((answer.type, bytes(answer.data)), (aiohttp.WSMsgType.PONG, payload), "the answer")

    async def close(self, code, reason):
        await self.socket.close(code=code, message=reason.encode())
        return self.socket.close_code

    async def closed(self):
        message = await self.socket.receive()
        same(message.type, aiohttp.WSMsgType.CLOSE, "the kind of message")
        return message.data, message.extra
