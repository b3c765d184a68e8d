"""Servers that our client visits: Python's `websockets` and `aiohttp` with the same conversations, and `websocketd`. Our client says what it hears,
and closes when it is told to."""

import asyncio
import socket
import sys
import tempfile
from pathlib import Path

import peers
from aiohttp import web
from checks import Program, check, run, same
from peers import CODES, FORMS, again_and_again, equal, messages, partings, visit
from websockets.asyncio.server import serve
from websockets.extensions.permessage_deflate import ServerPerMessageDeflateFactory

PROTOCOLS = ["second", "first"]


class Websockets(peers.Websockets):
    @classmethod
    async def host(cls, conversation, protocols, call):
        async with serve(lambda socket: conversation(cls(socket)), "127.0.0.1", 0, max_size=None, ping_interval=None, subprotocols=protocols) as server:
            return await call(server.sockets[0].getsockname()[1])


class Aiohttp(peers.Aiohttp):
    @classmethod
    async def host(cls, conversation, protocols, call):
        async def handle(request):
            socket = web.WebSocketResponse(protocols=protocols or (), max_msg_size=0, autoping=False)
            await socket.prepare(request)
            await conversation(cls(socket))
            return socket

        application = web.Application()
        application.router.add_get("/{path:.*}", handle)
        runner = web.AppRunner(application)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            return await call(runner.addresses[0][1])
        finally:
            await runner.cleanup()

    def protocol(self):
        return self.socket.ws_protocol


async def hosted(server, conversation, *, offered=(), protocols=None):
    """Has our client visit a server that talks to it like this; returns what our client says."""
    failures = []

    async def guarded(peer):
        try:
            await conversation(peer)
        except Exception as failure:
            failures.append(failure)

    said = await server.host(guarded, protocols, lambda port: visit(port, "/there?x=y", offered))
    if failures:
        raise failures[0]
    return said


async def leave(peer):
    """Tells our client to go."""
    await peer.send("close 1000 done")
    same(await peer.closed(), (1000, "done"), "our client's Close")


def conversations(name, server):
    @check(f"{name}: text and binary of 0 B to 64 MiB come back")
    async def echo():
        async def conversation(peer):
            for message in messages():
                sending = asyncio.create_task(peer.send(message))
                equal(await peer.receive(), message)
                await sending
            await leave(peer)

        same(await hosted(server, conversation), ["opened", "we closed"], "what our client says")

    if server is Websockets:

        @check(f"{name}: fragments come back as one message")
        async def fragments():
            async def conversation(peer):
                for parts in (["", "a", ""], ["Gr", "ü", "ße"], ["x" * 70_000, "", "y"], [b"x"] * 1000):
                    await peer.send(parts)
                    equal(await peer.receive(), type(parts[0])().join(parts))
                await leave(peer)

            same(await hosted(server, conversation), ["opened", "we closed"], "what our client says")

    @check(f"{name}: a ping of 0 to 125 bytes is answered")
    async def ping():
        async def conversation(peer):
            for size in (0, 1, 124, 125):
                await peer.ping(bytes(range(size)))
            await leave(peer)

        same(await hosted(server, conversation), ["opened", "we closed"], "what our client says")

    @check(f"{name}: every close code comes back")
    async def closing():
        for code, reason in partings():

            async def conversation(peer):
                same(await peer.close(code, reason), code, "the code that comes back")

            same(await hosted(server, conversation), ["opened", f"closed by the peer: {code}"], "what our client says")
        return f"{len(CODES)} codes"

    @check(f"{name}: every close code of ours arrives with its reason")
    async def closed():
        for code, reason in partings():

            async def conversation(peer):
                await peer.send(f"close {code} {reason}")
                same(await peer.closed(), (code, reason), "our client's Close")

            same(await hosted(server, conversation), ["opened", "we closed"], "what our client says")
        return f"{len(CODES)} codes"

    @check(f"{name}: a subprotocol that we offered may be agreed on")
    async def subprotocols():
        for offered, agreed in ((["first"], "first"), (["other", "second"], "second"), ([], None)):

            async def conversation(peer):
                same(peer.protocol(), agreed, f"the subprotocol for {offered}")
                await leave(peer)

            protocols = PROTOCOLS if offered else None
            same(await hosted(server, conversation, offered=offered, protocols=protocols), ["opened", "we closed"], "what our client says")


for each in {"websockets": Websockets, "aiohttp": Aiohttp}.items():
    conversations(*each)


@check("websockets: compression in every form that it may ask for")
async def forms():
    for form in FORMS:
        failures = []

        async def conversation(socket):
            try:
                assert len(socket.protocol.extensions) == 1, f"nothing was agreed on for {form}"
                for message in again_and_again():
                    await socket.send(message)
                    equal(await socket.recv(), message)
                await socket.send("close 1000 done")
                await socket.wait_closed()
            except Exception as failure:
                failures.append(failure)

        wanted = ServerPerMessageDeflateFactory(**form)
        async with serve(conversation, "127.0.0.1", 0, compression=None, extensions=[wanted], ping_interval=None) as server:
            said = await visit(server.sockets[0].getsockname()[1])
        if failures:
            raise failures[0]
        same(said, ["opened", "we closed"], f"what our client says of {form}")
    return f"{len(FORMS)} forms"


@check("aiohttp: what is no 101 opens nothing")
async def refusals():
    async def answer(request):
        return web.Response(status=int(request.path[1:]))

    application = web.Application()
    application.router.add_get("/{status}", answer)
    runner = web.AppRunner(application)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        for status in (200, 204, 302, 403, 426, 503):
            same(await visit(runner.addresses[0][1], f"/{status}"), ["refused"], f"what our client says to {status}")
    finally:
        await runner.cleanup()


GUEST = """
import sys
said = open(sys.argv[1], "w", encoding="utf-8")
lines = ["hello", "gr\\u00fc\\u00dfe \\U0001f600", "x" * 60000, *map(str, range(1000))]
sys.stdin.reconfigure(encoding="utf-8"), sys.stdout.reconfigure(encoding="utf-8")
for line in lines:
    print(line, flush=True)
    answer = sys.stdin.readline().rstrip("\\n")
    assert answer == line, (answer, line)
said.write(f"{len(lines)} lines")
said.close()
print("close 1000 done", flush=True)
sys.stdin.read()
"""


@check("websocketd: a program's lines come back")
async def websocketd():
    with tempfile.TemporaryDirectory() as folder, socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        free.close()  # it takes no port 0
        guest, verdict = Path(folder, "guest.py"), Path(folder, "verdict")
        guest.write_text(GUEST)
        with Program("--address=127.0.0.1", f"--port={port}", sys.executable, "-B", guest, verdict, executable="websocketd") as program:
            program.reachable(port)
            same(await peers.visit(port), ["opened", "we closed"], "what our client says")
            return verdict.read_text()


run()
