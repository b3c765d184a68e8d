"""The examples of the library, each started as it stands and spoken to: `examples.py DIRECTORY [NAME…]`."""

import re
import signal
import subprocess
import sys

import checks
from checks import TEXT, Program, Wire, frame, same

PORT = 9001


def say(wire, text):
    wire.send(frame(TEXT, text))


def hears(wire, text):
    same(wire.frame(), (True, TEXT, text), "what was heard")


def echo(http, _):
    with Wire(http).opened("/") as wire:
        for text in (b"", b"hello", b"x" * 100_000):
            say(wire, text)
            hears(wire, text)


def chat(http, _):
    with Wire(http).opened("/") as ada, Wire(http).opened("/") as bob:
        say(ada, b"Ada")
        hears(ada, b"Ada came in")
        say(bob, b"Bob")
        hears(ada, b"Bob came in")
        hears(bob, b"Bob came in")
        say(bob, b"hello")
        hears(ada, b"Bob: hello")
        hears(bob, b"Bob: hello")
        ada.send(frame(checks.BINARY, b"x"))
        ada.closed(1003)


def events(wire, path, count):
    """The data of the first events of a stream."""
    wire.request(f"GET {path}")
    assert wire.until(b"\r\n\r\n").startswith(b"HTTP/1.1 200 "), "the stream is refused"
    data = []
    while len(data) < count:
        wire.until(b"data: ")
        data.append(wire.until(b"\n")[:-1].decode())
    return data


def clock(http, _):
    with Wire(http) as one, Wire(http) as two:
        for wire in (one, two):
            first, second = map(int, events(wire, "/", 2))
            same(second, first + 1, "the second tick")


def poll(http, _):
    with Wire(http) as one, Wire(http) as two:
        for wire in (one, two):
            wire.request("GET /")
        # Both wait: who connects behind their requests is answered behind them. (Who was there before might be read first.)
        with Wire(http) as news:
            news.request("POST /", "Content-Length: 4", body=b"news")
            same(news.response().status, 204, "the status of the news")
        for wire in (one, two):
            same(wire.response().body, b"news", "the answer")


def tokens(http, _):
    with Wire(http) as wire:
        same("".join(events(wire, "/?text=one%20two%20three", 3)), "one two three", "the text")
        wire.until(b"event: done\n")


def whisper(http, _):
    with Wire(http).opened("/") as ada, Wire(http).opened("/") as bob:
        say(ada, b"Ada")
        say(ada, b"Nobody hello")  # its answer says that the name was taken before
        hears(ada, b"there is no Nobody")
        say(bob, b"Bob")
        say(bob, b"Ada hello")
        hears(ada, b"Bob whispers: hello")
        bob.socket.close()
        hears(ada, b"Bob left")


def pipe(http, program):
    def lines(numbers):
        for number in numbers:
            program.process.stdin.write(f"{number:>4000}\n")
        program.process.stdin.flush()

    with Wire(http).opened("/lines?of=mine") as wire:
        lines([0])
        hears(wire, b"%4000d" % 0)
        lines(range(1, 4001))  # 16 MB: more than its queue and the kernel take while nobody reads
        heard, missed = [], 0
        while len(heard) + missed < 4000:
            _, _, payload = wire.frame()
            if told := re.fullmatch(rb"\((\d+) lines were missed\)", payload):
                missed += int(told[1])
            else:
                heard.append(int(payload))
        assert missed > 0, "nothing was too fast"
        same(heard, sorted(set(heard)), "what was heard")
        same(len(heard) + missed, 4000, "what was heard and missed")
    with Wire(http) as last:
        last.request("GET /nothing?at=all")
        same(last.response().status, 400, "the status of a request that opens nothing")
    with program.more:
        for wanted in ("GET /lines?of=mine 101", "GET /nothing?at=all 400"):
            assert program.more.wait_for(lambda: any(line and wanted in line for line in program.lines), 10), program.lines


EXAMPLES = {"echo": echo, "chat": chat, "clock": clock, "poll": poll, "tokens": tokens, "whisper": whisper, "pipe": pipe}
directory, names = sys.argv[1], sys.argv[2:] or EXAMPLES


def checked(name):
    def conversation():
        assert not checks.listens(PORT), f"another program listens on {PORT}"
        with Program(executable=f"{directory}/{name}", stdin=subprocess.PIPE) as program:
            EXAMPLES[name](program.reachable(PORT), program)
            assert program.process.poll() is None, "it ended by itself"
            program.signal(signal.SIGTERM)
            program.exit_code()
            assert "panicked" not in program.log(), f"it panicked: {program.log()}"

    return f"the example {name}", conversation


checks.run([checked(name) for name in names])
