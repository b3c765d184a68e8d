"""One round of guests in Python: `websockets` on /echo and /chat, `httpx` on pages and event streams, bytes that are cut off anywhere."""

import asyncio
import os
import random
import sys
import time
from urllib.parse import urlsplit

import httpx
from checks import base, check, run, same, web_socket_url
from httpx_sse import aconnect_sse
from websockets.asyncio.client import connect

UNTIL = time.monotonic() + float(sys.argv[2])
ADDRESS = urlsplit(base())


async def all_the_time(many, guest):
    """So many guests side by side, each again and again until the time is up. How often they came."""

    async def again():
        count = 0
        while time.monotonic() < UNTIL:
            await guest()
            count += 1
        return count

    return f"{sum(await asyncio.gather(*(again() for _ in range(many))))} visits"


@check("everybody is served as usual")
async def everything():
    async def echo():
        async with connect(web_socket_url("/echo"), proxy=None, max_size=None, ping_interval=None) as socket:
            for _ in range(20):
                size = int(2 ** random.uniform(0, 17))
                message = random.choice((os.urandom(size), "ü" * (size // 2)))
                await socket.send(message)
                answer = await asyncio.wait_for(socket.recv(), 10)
                assert answer == message, f"the echo of {size} bytes differs"

    async def chat():
        async with connect(web_socket_url("/chat"), proxy=None) as socket:
            await socket.send("guest")
            for _ in range(3):
                await asyncio.wait_for(socket.recv(), 10)

    async def pages():
        async with httpx.AsyncClient(trust_env=False) as client:
            for path, status in (("/", 200), ("/healthz", 200), ("/nothing", 404), ("/chat", 400)):
                same((await client.get(base() + path)).status_code, status, f"the status of {path}")

    async def stream():
        async with httpx.AsyncClient(trust_env=False, timeout=10) as client, aconnect_sse(client, "GET", base() + "/clock") as source:
            ids = []
            async for event in source.aiter_sse():
                # It hands out what only says `retry`, too.
                ids += [int(event.id)] if event.id else []
                if len(ids) == 3:
                    break
            same(ids, [ids[0] + at for at in range(3)], "the ids")

    async def gone():
        """Says half of something, then resets or leaves."""
        _, writer = await asyncio.open_connection(ADDRESS.hostname, ADDRESS.port)
        said = b"GET /echo HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n\x82\xfe\x40\x00abcd" + bytes(4000)
        writer.write(said[: random.randrange(len(said))])
        await writer.drain()
        await asyncio.sleep(random.uniform(0, 0.02))
        writer.transport.abort() if random.random() < 0.5 else writer.close()

    kinds = ((8, echo), (4, chat), (2, pages), (8, stream), (4, gone))
    visits = await asyncio.gather(*(all_the_time(*kind) for kind in kinds))
    return ", ".join(f"{guest.__name__} {count}" for (_, guest), count in zip(kinds, visits))


run()
