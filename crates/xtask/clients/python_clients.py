"""Clients in Python against our server: `websockets`, `websocket-client` and `aiohttp`, all with the same conversations; and the test client
of libwebsockets, which has its own."""

import asyncio
import re
import signal
import subprocess
from contextlib import asynccontextmanager, contextmanager, suppress

import aiohttp
import checks
import peers
import websocket
import websockets
from checks import base, check, same, web_socket_url
from peers import FORMS, LARGEST, again_and_again, equal, messages, partings
from websockets.asyncio.client import connect
from websockets.extensions.permessage_deflate import ClientPerMessageDeflateFactory

FRAGMENTS = [["", "a", ""], ["Gr", "ü", "ße"], ["x" * 70_000, "", "y"], [str(at) for at in range(1000)]]


class Websockets(peers.Websockets):
    @classmethod
    @asynccontextmanager
    async def open(cls, path, protocols=None):
        socket = await connect(web_socket_url(path), max_size=None, subprotocols=protocols, proxy=None, ping_interval=None)
        try:
            yield cls(socket)
        finally:
            with suppress(AttributeError):  # asyncio's, where a connection that is lost is aborted
                await socket.close()


class WebsocketClient:
    """The package `websocket-client`, which blocks, and refuses a server that agrees on none of the subprotocols it offers."""

    def __init__(self, socket):
        self.socket = socket

    @classmethod
    @asynccontextmanager
    async def open(cls, path, protocols=None):
        socket = websocket.create_connection(web_socket_url(path), timeout=30, subprotocols=protocols, http_no_proxy=["127.0.0.1"])
        try:
            yield cls(socket)
        finally:
            socket.shutdown()

    async def send(self, message):
        if isinstance(message, list):
            for at, part in enumerate(message):
                opcode = websocket.ABNF.OPCODE_TEXT if at == 0 else websocket.ABNF.OPCODE_CONT
                self.socket.send_frame(websocket.ABNF.create_frame(part.encode(), opcode, int(at == len(message) - 1)))
        else:
            opcode = websocket.ABNF.OPCODE_TEXT if isinstance(message, str) else websocket.ABNF.OPCODE_BINARY
            await asyncio.to_thread(self.socket.send, message, opcode)

    async def receive(self):
        opcode, data = await asyncio.to_thread(self.socket.recv_data)
        return data.decode() if opcode == websocket.ABNF.OPCODE_TEXT else data

    async def ping(self, payload):
        self.socket.ping(payload)
        opcode, data = self.socket.recv_data(control_frame=True)
        same((opcode, bytes(data)), (websocket.ABNF.OPCODE_PONG, payload), "the answer")

    async def close(self, code, reason):
        self.socket.send_close(code, reason.encode())
        return (await self.closed())[0]

    async def closed(self):
        opcode, data = self.socket.recv_data(control_frame=True)
        same(opcode, websocket.ABNF.OPCODE_CLOSE, "the opcode")
        return int.from_bytes(data[:2], "big"), data[2:].decode()

    def protocol(self):
        return self.socket.subprotocol


class Aiohttp(peers.Aiohttp):
    @classmethod
    @asynccontextmanager
    async def open(cls, path, protocols=None):
        async with aiohttp.ClientSession() as session:
            async with session.ws_connect(base() + path, protocols=protocols or (), max_msg_size=0, autoping=False, compress=15) as socket:
                yield cls(socket)

    def protocol(self):
        return self.socket.protocol


CLIENTS = {"websockets": Websockets, "websocket-client": WebsocketClient, "aiohttp": Aiohttp}


def conversations(name, client):
    @check(f"{name}: text and binary of 0 B to 64 MiB come back")
    async def echo():
        async with client.open("/echo") as peer:
            for message in messages():
                sending = asyncio.create_task(peer.send(message))
                equal(await peer.receive(), message)
                await sending

    @check(f"{name}: 64 MiB and one byte is 1009")
    async def too_big():
        async with client.open("/echo") as peer:
            try:
                await peer.send(b"x" * (LARGEST + 1))
            except (ConnectionError, websockets.ConnectionClosed, websocket.WebSocketException):
                pass  # refused by its header: the rest need not be taken
            same((await peer.closed())[0], 1009, "the code")

    if client is not Aiohttp:

        @check(f"{name}: fragments come back as one message")
        async def fragments():
            async with client.open("/echo") as peer:
                for parts in FRAGMENTS:
                    await peer.send(parts)
                    same(await peer.receive(), "".join(parts), "the echo")

    @check(f"{name}: a ping of 0 to 125 bytes is answered")
    async def ping():
        async with client.open("/echo") as peer:
            for size in (0, 1, 124, 125):
                await peer.ping(bytes(range(size)))

    @check(f"{name}: every close code comes back")
    async def closing():
        for code, reason in partings():
            async with client.open("/echo") as peer:
                same(await peer.close(code, reason), code, "the code that comes back")
        return f"{len(partings())} codes"

    @check(f"{name}: every close code of ours arrives with its reason")
    async def closed():
        for code, reason in partings():
            async with client.open("/close") as peer:
                await peer.send(f"{code} {reason}")
                same(await peer.closed(), (code, reason), "the code and the reason")
        return f"{len(partings())} codes"

    @check(f"{name}: the first subprotocol that we have is agreed on")
    async def subprotocols():
        none = [(["other"], None)] if client is not WebsocketClient else []
        for offered, agreed in ((["echo"], "echo"), (["other", "mirror", "echo"], "mirror"), (None, None), *none):
            async with client.open("/echo", offered) as peer:
                same(peer.protocol(), agreed, f"the subprotocol for {offered}")


for each in CLIENTS.items():
    conversations(*each)


@check("websockets: compression in every form that may be agreed on")
async def forms():
    for form in FORMS:
        offer = ClientPerMessageDeflateFactory(**{"client_max_window_bits": True, **form})
        async with connect(web_socket_url("/echo"), compression=None, extensions=[offer], proxy=None, ping_interval=None) as socket:
            [agreed] = socket.protocol.extensions
            for name in ("server_no_context_takeover", "client_no_context_takeover"):
                ours = {"server": "remote", "client": "local"}[name.partition("_")[0]] + "_no_context_takeover"
                same(getattr(agreed, ours), form.get(name, False), f"{name} of {form}")
            same(agreed.remote_max_window_bits, form.get("server_max_window_bits", 15), f"the server's window of {form}")
            for message in again_and_again():
                await socket.send(message)
                equal(await socket.recv(), message)
            for parts in FRAGMENTS:
                await socket.send(parts)
                same(await socket.recv(), "".join(parts), "the echo of fragments")
    return f"{len(FORMS)} forms"


@contextmanager
def libwebsockets():
    """Debian's libwebsockets-test-client, whose log says what it hears."""
    port = base().rpartition(":")[2]
    process = subprocess.Popen(["libwebsockets-test-client", "127.0.0.1", f"--port={port}", "-d", "15"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, errors="replace")
    try:
        yield process
    finally:
        process.kill()
        process.wait()


@check("libwebsockets' test client: its counter counts, its mirror opens, and both close")
def test_client():
    heard, mirrored = [], False
    with libwebsockets() as process:
        for line in process.stderr:
            if number := re.search(r"rx \d+ '(\d+)'", line):
                heard.append(int(number[1]))
                if heard[-1] == 20:
                    process.send_signal(signal.SIGINT)
            mirrored = mirrored or "mirror: LWS_CALLBACK_CLIENT_ESTABLISHED" in line
            assert "CLIENT_CONNECTION_ERROR" not in line, line.strip()
        same(process.wait(10), 0, "its exit code")
    same(heard[:20], list(range(1, 21)), "the numbers")
    assert mirrored, "the mirror was not opened"


checks.run()
