"""`longwire load`: against ourselves, and against servers that answer honestly, wrongly, not at all, and to everybody."""

import asyncio
import contextlib
import json
import os
import socket
import subprocess
import tempfile
from pathlib import Path

from checks import check, run, same
from websockets.asyncio.server import broadcast, serve

PROGRAM = os.environ["LONGWIRE"]


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


async def load(address, *words):
    """What the program prints and how it ends."""
    process = await asyncio.create_subprocess_exec(PROGRAM, "load", address, *words, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    said, complaint = await process.communicate()
    return process.returncode, said.decode(), complaint.decode()


async def abused(address, how, *words):
    """How many guests came to what end, and what else `--abuse` tells; who behaved beside them has lost nothing."""
    code, said, complaint = await load(address, "--json", "--abuse", how, "-c", "20", *words)
    assert code == 0, complaint + said
    report = json.loads(said)
    assert report["echo"]["count"] > 0 and 0 < report["echo"]["p50"] <= report["echo"]["max"], report
    same((report["echoes_lost"], report["openings_refused"]), (0, 0), "what was lost beside them")
    return {ending: outcome["count"] for ending, outcome in report["outcomes"].items()}, report


async def told(address, *words):
    code, said, complaint = await load(address, "--json", "--warm-up", "100ms", "-d", "500ms", *words)
    assert said, complaint
    return code, json.loads(said)


room = set()


async def behave(connection):
    """The path says how."""
    path, count = connection.request.path, 0
    if path in ("/room", "/dwindling"):
        room.add(connection)
    try:
        async for message in connection:
            count += 1
            if path in ("/room", "/dwindling"):
                broadcast(room, message)
                if path == "/dwindling" and count == 20:
                    await (room - {connection}).pop().close()
            elif path == "/late":
                await asyncio.sleep(0.05)
                await connection.send(message)
            elif path == "/damaged" and count == 20:
                await connection.send(message[:-1] + bytes([message[-1] ^ 1]))
            elif not (path == "/swallowed" and count == 20):
                await connection.send(message)
            if path == "/gone" and count == 20:
                return
    finally:
        room.discard(connection)


@contextlib.asynccontextmanager
async def peer():
    async with serve(behave, "127.0.0.1", 0) as server:
        yield "ws://127.0.0.1:%d" % server.sockets[0].getsockname()[1]


@contextlib.contextmanager
def ourselves(*words):
    port = free_port()
    with subprocess.Popen([PROGRAM, "--listen", f"127.0.0.1:{port}", "--log", "warn", *words]) as server:
        try:
            while socket.socket().connect_ex(("127.0.0.1", port)):
                pass
            yield f"ws://127.0.0.1:{port}/echo", server.pid
        finally:
            server.terminate()


def clean(code, report):
    same((code, report["wrong"], report["missing"], report["ends"]), (0, 0, 0, {}), "how it ends, and what went wrong")
    assert report["messages"] > 0 and 0 < report["latency"]["p50"] <= report["latency"]["max"], report


for name, words in {
    "one at a time": (),
    "sixteen at a time, as text": ("-i", "16", "-t"),
    "messages of one byte": ("-s", "1", "-c", "3"),
    "messages of 100 KiB": ("-s", "100KiB", "-c", "4", "-i", "2"),
    "compressed": ("-s", "4KiB", "-t", "--deflate", "-c", "8"),
    "two threads, connected slowly": ("--threads", "2", "-c", "51", "--connect-rate", "200"),
}.items():

    @check(name)
    async def echo(words=words):
        with ourselves() as (address, pid):
            code, report = await told(address, "--server-pid", str(pid), *words)
        clean(code, report)
        assert report["server"]["messages_per_cpu_second"] > 0 and report["server"]["resident_bytes"] > 0, report
        return f"{report['messages']} messages"


@check("at a rate, time runs from when a message was due")
async def rate():
    with ourselves() as (address, _):
        code, report = await told(address, "--rate", "2000", "-c", "10")
    clean(code, report)
    assert 0.9 < report["messages"] / 1000 < 1.1, report["messages"]
    assert 1_800 < report["sent_per_second"] < 2_200, report
    with ourselves() as (address, _):
        code, said, _ = await load(address, "--rate", "4000000000", "-c", "2", "--warm-up", "100ms", "-d", "500ms")
    assert "it was this side that could not keep up" in said, said
    async with peer() as address:
        # Each connection has a message every 20 ms, and an answer every 50 ms: the queue grows, and so does what is measured.
        code, report = await told(f"{address}/late", "--rate", "500", "-c", "10")
    assert report["latency"]["p90"] > 150_000, report["latency"]


@check("one speaks and all listen")
async def fan_out():
    async with peer() as address:
        code, report = await told(f"{address}/room", "--fan-out", "-c", "20", "-i", "4", "--threads", "2")
    clean(code, report)
    same((report["reach"], report["messages"] % 20 < 20), (1.0, True), "the reach")
    async with peer() as address:
        code, report = await told(f"{address}/room", "--fan-out", "-c", "20", "--rate", "100")
    clean(code, report)
    assert 0.8 < report["messages"] / 1000 < 1.2, report["messages"]
    async with peer() as address:
        # Who was sent away was to hear the rest, too.
        code, report = await told(f"{address}/dwindling", "--fan-out", "-c", "4", "--rate", "200")
    same((code, report["ends"]), (1, {"the server closed with 1000": 1}), "how it ends")
    assert 0.75 <= report["reach"] < 0.95, report
    async with peer() as address:
        # Here everybody hears himself alone.
        code, said, _ = await load(address, "--fan-out", "-c", "20", "--warm-up", "100ms", "-d", "300ms")
    assert code == 1 and "nothing      was heard" in said and "latency" not in said, said


@contextlib.asynccontextmanager
async def newsroom():
    """What is said on a WebSocket goes out on event streams; `/cut` ends early, `/twice` says everything twice, `/page` is none."""
    listeners, editors = [], []

    async def listen(reader, writer):
        path = (await reader.readuntil(b"\r\n\r\n")).split()[1].decode()
        kind = "text/html" if path == "/page" else "text/event-stream"
        writer.write(f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\n\r\n".encode())
        listeners.append((path, writer))

    async def edit(connection):
        editors.append(connection)
        async for message in connection:
            for path, writer in listeners:
                event = f"data: {message}\n\n".encode()
                writer.write(event * (2 if path == "/twice" else 1))
                if path == "/cut" and len(editors) == 1:
                    writer.close()

    async with await asyncio.start_server(listen, "127.0.0.1", 0) as streams, serve(edit, "127.0.0.1", 0) as speaker:
        ports = [server.sockets[0].getsockname()[1] for server in (streams, speaker)]
        yield f"http://127.0.0.1:{ports[0]}", f"ws://127.0.0.1:{ports[1]}/"


@check("one speaks and event streams listen")
async def streams():
    words = ("--fan-out", "-t", "--rate", "100", "-c", "20", "--threads", "2", "--streams")
    async with newsroom() as (http, speaker):
        code, report = await told(speaker, *words, f"{http}/")
    clean(code, report)
    same(report["reach"], 1.0, "the reach")
    assert 0.8 < report["messages"] / 1000 < 1.2, report["messages"]
    async with newsroom() as (http, speaker):
        code, report = await told(speaker, *words, f"{http}/twice")
    assert code == 1 and report["wrong"] > 0, report
    async with newsroom() as (http, speaker):
        code, report = await told(speaker, *words, f"{http}/cut")
    same((code, report["ends"]), (1, {"the stream ended": 20}), "streams that end")
    async with newsroom() as (http, speaker):
        code, said, complaint = await load(speaker, *words, f"{http}/page")
    assert code == 2 and "refused or lost; the first: this is no event stream" in complaint, complaint


@check("event streams of others are listened to")
async def listened():
    with ourselves() as (address, pid):
        clock = address.replace("ws://", "http://").replace("/echo", "/clock")
        code, said, complaint = await load(clock, "--json", "-c", "50", "--warm-up", "100ms", "-d", "2500ms", "--server-pid", str(pid))
        report = json.loads(said)
        clean(code, report)
        assert report["messages"] in (100, 150), report
        assert report["latency"]["max"] < 500_000, report
        assert "message_bytes" not in report and "in_flight" not in report, "nothing was said"
        code, said, _ = await load(clock, "-c", "3", "--warm-up", "100ms", "-d", "1500ms")
        assert code == 0 and "3 event streams" in said and "events" in said and "after first" in said, said


@check("connections come from the addresses that are named, in turn")
async def sources():
    seen = []

    async def echo(connection):
        seen.append(connection.remote_address[0])
        async for message in connection:
            await connection.send(message)

    async with serve(echo, "127.0.0.1", 0) as server:
        address = "ws://127.0.0.1:%d" % server.sockets[0].getsockname()[1]
        code, report = await told(address, "-c", "6", "--source", "127.0.0.2", "--source", "127.0.0.3")
        clean(code, report)
        same(sorted(seen), ["127.0.0.2"] * 3 + ["127.0.0.3"] * 3, "where they came from")
        await abused(address, "half-open", "-d", "500ms", "--source", "127.0.0.4")
        assert "127.0.0.4" in seen, seen
        code, said, complaint = await load(address, "--source", "192.0.2.1")
        same((code, said), (2, ""), "an address that is not ours")
        assert "192.0.2.1" in complaint or "assign" in complaint, complaint


@check("what is wrong, what is missing and who left is told, and is a failure")
async def honest():
    async with peer() as address:
        code, report = await told(f"{address}/damaged", "-c", "3")
        same((code, report["wrong"]), (1, 3), "a damaged echo on each connection")
        code, report = await told(f"{address}/swallowed", "-c", "3", "-i", "2")
        assert code == 1 and report["wrong"] + report["missing"] >= 3, report
        code, report = await told(f"{address}/gone", "-c", "3")
        same((code, report["ends"]), (1, {"the server closed with 1000": 3}), "connections that ended")


@check("in words, and as a picture")
async def printed():
    with ourselves() as (address, _), tempfile.TemporaryDirectory() as folder:
        picture = Path(folder, "load.svg")
        code, said, complaint = await load(address, "-c", "8", "--warm-up", "100ms", "-d", "600ms", "--plot", str(picture))
        same((code, complaint), (0, ""), "how it ends, and what it complains of")
        assert "8 connections, 20 B of binary, 1 in flight" in said and "p99.9" in said and "echoes" in said, said
        drawn = picture.read_text()
        assert drawn.startswith("<svg") and drawn.count("<polyline") >= 5, drawn[:200]


for how, words, wanted in [
    ("slow-head", ("-d", "3s"), {"answered with 408": 20}),
    ("tiny-fragments", ("-d", "5s"), {"closed with 1009": 20}),
    ("deflate-bomb", ("-d", "5s"), {"closed with 1009": 20}),
    ("giant-length", ("-d", "3s"), {"closed with 1009": 20}),
    ("half-open", ("-d", "3s"), {"ended without a word": 20}),
]:

    @check(f"{how}: its end, and nobody else's")
    async def abuse(how=how, words=words, wanted=wanted):
        limits = ("--head-timeout", "1s", "--ping", "500ms", "--pong-timeout", "500ms", "--max-parts", "10000")
        with ourselves(*limits) as (address, pid):
            outcomes, report = await abused(address, how, "--server-pid", str(pid), *words)
        same(outcomes, wanted, "the ends")
        server = report["server"]
        assert 0 < server["resident_before"] <= server["resident_peak"] < 100 << 20, server
        return f"{server['cpu_seconds']:.2f} s of processor"


@check("who sends and does not read is not read either, or ends")
async def floods():
    with ourselves("--write-timeout", "1s") as (address, pid):
        outcomes, report = await abused(address, "never-reads", "--server-pid", str(pid), "-d", "3s")
        assert "still open" not in outcomes and sum(outcomes.values()) == 20, outcomes
        assert report["server"]["resident_peak"] < 60 << 20, report["server"]
        outcomes, report = await abused(address, "ping-flood", "-d", "2s")
        same(outcomes, {"still open": 20}, "who pings and hears")
        assert report["received_bytes"] > 1 << 20, report
        outcomes, report = await abused(address, "connect-storm", "-d", "1s")
        assert report["connections"] > 100, report
        same(list(outcomes), ["connected, and gone"], "the ends of who storms")
        return f"{report['connections']} connections in a second"


@check("a server that does not compress is not bombed, and one that is not there is not attacked")
async def not_attacked():
    with ourselves("--deflate", "off") as (address, _):
        outcomes, _ = await abused(address, "deflate-bomb", "-d", "1s")
    same(outcomes, {"not tried: the server does not compress": 20}, "the ends")
    code, said, complaint = await load(f"ws://127.0.0.1:{free_port()}/", "--abuse", "half-open")
    same((code, said), (2, ""), "what it comes to")
    assert "does not open a WebSocket" in complaint, complaint


@check("in words: what the server did, and what was noticed beside it")
async def abuse_printed():
    with ourselves() as (address, pid):
        code, said, complaint = await load(address, "--abuse", "giant-length", "-c", "4", "-d", "1s", "--server-pid", str(pid))
    same((code, complaint), (0, ""), "how it ends, and what it complains of")
    for words in ["giant-length, 4 guests", "4 closed with 1009", "0 lost", "of processor"]:
        assert words in said, said


@check("what cannot be had is said")
async def unusable():
    for address, meant in {
        f"ws://127.0.0.1:{free_port()}/": "0 of 64 connections",
        "ftp://127.0.0.1/": "ws://127.0.0.1:8080/echo",
        "wss://127.0.0.1/": "TLS is not spoken",
    }.items():
        code, said, complaint = await load(address)
        same((code, said), (2, ""), f"what {address} comes to")
        assert meant in complaint, complaint
    code, said, complaint = await load(f"ws://127.0.0.1:{free_port()}/", "--abuse", "half-open", "--size", "15")
    same((code, said), (2, ""), "a size of what nobody sends")
    code, said, complaint = await load(f"ws://127.0.0.1:{free_port()}/", "--fan-out", "--size", "15")
    same((code, said), (2, ""), "messages that could not be told apart")
    assert "--size" in complaint, complaint


run()
