"""Python `websockets`: echo of every size, fragmentation, pings, closing from both sides, and the chat."""

import asyncio
import os
from contextlib import suppress

import checks
from checks import check, same, web_socket_url
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

LARGEST = 1 << 20
BUSY = "The room is busy, and nobody heard that. Say it again in a moment."
SIZES = [0, 1, 2, 3, 4, 5, 7, 8, 9, 124, 125, 126, 127, 1000, 4095, 4096, 16383, 16384, 16385, 65535, 65536, 65537, 131072, 524287, LARGEST - 1, LARGEST]


def client(path="/echo", **options):
    return connect(web_socket_url(path), max_size=None, open_timeout=10, close_timeout=10, proxy=None, **options)


async def echoed(socket, message):
    await socket.send(message)
    answer = await asyncio.wait_for(socket.recv(), 20)
    same(type(answer), type(message), "the type of the echo")
    assert answer == message, f"the echo of {len(message)} characters differs"


@check("text of 0 B to 1 MiB comes back")
async def text():
    async with client() as socket:
        for size in SIZES:
            await echoed(socket, "".join(chr(0x21 + at % 90) for at in range(size)))
        for letter in "ä€😀":  # every length of UTF-8, up to the limit
            await echoed(socket, letter * (LARGEST // len(letter.encode())))


@check("binary of 0 B to 1 MiB comes back")
async def binary():
    async with client() as socket:
        for size in SIZES:
            await echoed(socket, os.urandom(size))


@check("a sender in fragments gets one message back")
async def fragmented():
    async with client() as socket:
        for parts in (["", "a", ""], ["Gr", "ü", "ße"], ["x" * 70000, "", "y"], ["z"] * 1000):
            await socket.send(parts)
            same(await asyncio.wait_for(socket.recv(), 20), "".join(parts), "the echo")
        for parts in ([b"", b""], [os.urandom(1 << 16)] * 16, [bytes([at]) for at in range(256)]):
            await socket.send(parts)
            assert await asyncio.wait_for(socket.recv(), 20) == b"".join(parts), "the echo of the parts differs"


@check("a thousand messages on their way at once come back in order")
async def pipelined():
    async with client() as socket:
        async def send():
            for number in range(1000):
                await socket.send(f"{number} " + "." * (number % 300))

        sending = asyncio.create_task(send())
        for number in range(1000):
            answer = await asyncio.wait_for(socket.recv(), 20)
            same(answer, f"{number} " + "." * (number % 300), "the echo")
        await sending


@check("a ping of 0 to 125 bytes is answered with its payload")
async def ping():
    async with client(ping_interval=None) as socket:
        for size in (0, 1, 4, 124, 125):  # the library matches payloads: another one would not end the wait
            await asyncio.wait_for(await socket.ping(os.urandom(size)), 10)
        await echoed(socket, "still here")


@check("our close code comes back")
async def closed_by_us():
    for code, reason in ((1000, ""), (1000, "done"), (1001, "away"), (3000, "r" * 123), (4999, "ü" * 61)):
        socket = await client()
        await socket.close(code, reason)
        same(socket.protocol.close_rcvd.code, code, "the code of the answer")
        same(socket.close_code, code, "the close code")


@check("1 MiB and one byte is 1009")
async def too_big():
    for message in ("a" * (LARGEST + 1), os.urandom(LARGEST + 1), [b"a" * (LARGEST // 2)] * 2 + [b"b"]):
        async with client() as socket:
            try:
                await socket.send(message)
                await asyncio.wait_for(socket.recv(), 20)
                raise AssertionError("it came back")
            except ConnectionClosed:
                same(socket.protocol.close_rcvd and socket.protocol.close_rcvd.code, 1009, "the code of the server's Close")


async def heard(socket, line):
    same(await asyncio.wait_for(socket.recv(), 10), line, "the line")


@check("chat: two clients hear each other")
async def chat():
    async with client("/chat") as ada, client("/chat") as bob:
        await ada.send("Ada")
        await heard(ada, "Ada came in")
        await bob.send("  Bob ")
        await heard(ada, "Bob came in")
        await heard(bob, "Bob came in")
        for sender, name in ((ada, "Ada"), (bob, "Bob")):
            await sender.send("grüße 😀")
            for guest in (ada, bob):
                await heard(guest, f"{name}: grüße 😀")
        await bob.close()
        await heard(ada, "Bob left")


@check("chat: a binary message is 1003, a name that is none 1008")
async def chat_refuses():
    for first, code in ((b"binary", 1003), ("", 1008), ("   ", 1008), ("x" * 41, 1008), ("a\nb", 1008), ("Ada: hi", 1008)):
        async with client("/chat") as socket:
            await socket.send(first)
            try:
                await asyncio.wait_for(socket.recv(), 10)
                raise AssertionError(f"{first!r} was taken")
            except ConnectionClosed:
                same(socket.protocol.close_rcvd.code, code, f"the close code for {first!r}")


@check("chat: lines are short, few enough, and one line each")
async def chat_bounds():
    async with client("/chat") as ada:
        await ada.send("Ada")
        await heard(ada, "Ada came in")
        await ada.send("one\nBob: two")
        await heard(ada, "Ada: one Bob: two")
        await ada.send("x" * 501)
        await ada.wait_closed()
        same(ada.close_code, 1009, "the close code for a long line")
    async with client("/chat") as bob:
        async def speak():
            with suppress(ConnectionClosed):
                for line in range(22):  # of which one second has more than ten
                    await bob.send(f"{line}")

        speaking = asyncio.create_task(speak())
        with suppress(ConnectionClosed):
            while True:  # a client that does not read does not hear the Close behind its own lines
                await asyncio.wait_for(bob.recv(), 10)
        await speaking
        same(bob.close_code, 1008, "the close code for many lines")


@check("chat: a busy room closes nobody, but says so to each whom it does not hear")
async def chat_busy():
    async def speaks(number):
        """Says nine lines at once: how many were heard, and how many were answered."""
        async with client("/chat", max_queue=None) as guest:  # or it would not read its way to the Close
            await guest.send(f"guest {number}")
            await heard_of(guest, f"guest {number} came in")
            for line in range(9):
                await guest.send(f"{line} {'x' * 450}")
            # An answer to one overtakes what is said to all, at the end of the turn.
            own = [f"guest {number}: {line} {'x' * 450}" for line in range(9)]
            outcomes = [await heard_of(guest, BUSY, *own) for _ in own]
            lines = [outcome for outcome in outcomes if outcome != BUSY]
            same(lines, own[: len(lines)], "what was heard")
            return outcomes.count(BUSY)

    async def heard_of(guest, *lines):
        while (line := await asyncio.wait_for(guest.recv(), 10)) not in lines:
            pass
        return line

    unheard = sum(await asyncio.gather(*(speaks(number) for number in range(12))))
    assert 12 <= unheard <= 96, f"of 108 lines {unheard} were not heard"
    async with client("/chat") as ada:
        await ada.send("Ada")
        await heard_of(ada, "Ada came in")
        while True:  # a second later there is room again
            await ada.send("still here")
            if await heard_of(ada, "Ada: still here", BUSY) != BUSY:
                return
            await asyncio.sleep(0.2)


@check("two hundred clients at once, each with its own echo")
async def many():
    async def one(number):
        async with client() as socket:
            for turn in range(5):
                await echoed(socket, f"{number}/{turn}")

    await asyncio.gather(*(one(number) for number in range(200)))


@check("a subprotocol that the server does not have is not agreed on")
async def subprotocol():
    async with client(subprotocols=["superchat"]) as socket:
        same(socket.subprotocol, None, "the subprotocol")
        await echoed(socket, "all the same")


checks.run()
