"""`curl -N`, as people try an event stream: /clock, /tokens, and what the heads of streams say."""

import re
import subprocess
import time

import checks
from checks import check, same


def curl(path, *options, lines=None, bound=15):
    """Runs curl on a stream: until its end, or until so many lines have come."""
    command = ["curl", "-sSN", "--max-time", str(bound), "--noproxy", "*", *options, checks.base() + path]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
        try:
            if lines is None:
                text = process.stdout.read().decode()
                same(process.wait(), 0, f"curl's exit code, after {text[-200:]!r},")
                return text
            return b"".join(process.stdout.readline() for _ in range(lines)).decode()
        finally:
            process.kill()


def events(text):
    """The blocks of a stream as lists of (field, value). Comments and `retry:` are dropped."""
    blocks = []
    for block in re.split(r"\n\n", text):
        fields = [line.split(": ", 1) if ": " in line else (line, "") for line in block.split("\n") if line and not line.startswith(":")]
        fields = [(name.rstrip(":"), value) for name, value in fields if name != "retry"]
        if fields:
            blocks.append(fields)
    return blocks


def value(block, name):
    return "\n".join(value for field, value in block if field == name)


@check("/clock: an event a second, its id the Unix second")
def clock():
    text = curl("/clock", lines=14)
    ids = [int(number) for number in re.findall(r"^id: (\d+)$", text, re.M)]
    assert len(ids) >= 3, f"the stream is {text!r}"
    same(ids, list(range(ids[0], ids[0] + len(ids))), "the ids")
    assert abs(ids[-1] - time.time()) < 3, f"the id {ids[-1]} is not the time"
    for second, said in zip(ids, re.findall(r"^data: (.+)$", text, re.M)):
        same(said, time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(second)), "the data")
    assert re.search(r"^retry: \d+$", text, re.M), f"no retry in {text!r}"


@check("/clock: whoever comes back gets what it missed, at once")
def clock_missed():
    last = int(time.time()) - 10
    for way in (("/clock", "-H", f"Last-Event-ID: {last}"), (f"/clock?last_event_id={last}",)):
        began = time.monotonic()
        ids = [int(number) for number in re.findall(r"^id: (\d+)$", curl(*way, lines=29), re.M)]
        took = time.monotonic() - began
        same(ids, list(range(last + 1, last + 1 + len(ids))), "the ids")
        assert len(ids) >= 8 and took < 5, f"{len(ids)} events took {took:.1f} s"


@check("/clock: beyond a minute a gap says how much is missing")
def clock_gap():
    text = curl("/clock", "-H", f"Last-Event-ID: {int(time.time()) - 100}", lines=60)
    gap = next(block for block in events(text) if value(block, "event") == "gap")
    assert 39 <= int(value(gap, "data")) <= 42, f"the gap is {gap}"
    ids = [int(number) for number in re.findall(r"^id: (\d+)$", text, re.M)]
    same(ids, list(range(ids[0], ids[0] + len(ids))), "the ids behind the gap")


@check("/clock: an id that is none is no id")
def clock_garbage():
    for garbage in ("x", "-1", "99999999999999999999", "1e9", "9" * 400):
        text = curl("/clock", "-H", f"Last-Event-ID: {garbage}", lines=6)
        first = int(re.search(r"^id: (\d+)$", text, re.M)[1])
        assert abs(first - time.time()) < 3, f"{garbage!r} makes the clock begin at {first}"


@check("/tokens: the text comes word by word, then done, then the stream ends")
def tokens():
    for text, encoded in (("Grüße über  den Draht ", "Gr%C3%BC%C3%9Fe+%C3%BCber%20%20den+Draht%20"), ("one", "one"), ("a%2Bb c", "a%252Bb%20c")):
        blocks = events(curl(f"/tokens?text={encoded}"))
        same({value(block, "event") for block in blocks[:-1]}, {"token"}, "the events' names")
        same(value(blocks[-1], "event"), "done", "the last event's name")
        same(value(blocks[-1], "data"), str(len(text.split())), "how many tokens were said")
        same("".join(value(block, "data") for block in blocks[:-1]), text, "the text")


@check("/tokens: a line break in the text stays in its event")
def tokens_lines():
    blocks = events(curl("/tokens?text=a%0A%0Aevent:%20forged%0Ad"))
    same([value(block, "event") for block in blocks], ["token"] * (len(blocks) - 1) + ["done"], "the events' names")
    same("".join(value(block, "data") for block in blocks[:-1]), "a\n\nevent: forged\nd", "the text")


@check("/tokens: who was cut off goes on, who has everything is told so, who says nothing is refused")
def tokens_resume():
    blocks = events(curl("/tokens?text=one%20two%20three", "-H", "Last-Event-ID: 2"))
    same([value(block, "data") for block in blocks], ["three", "3"], "what is left")
    same(curl("/tokens?text=one", "-H", "Last-Event-ID: 1", "-o", "/dev/null", "-w", "%{http_code}"), "204", "the status at the end")
    same(curl("/tokens", "-o", "/dev/null", "-w", "%{http_code}"), "400", "the status without a text")


@check("a stream's head keeps caches and proxies from holding it")
def heads():
    for path in ("/clock", "/tokens?text=a"):
        head = curl(path, "-D", "-", lines=9)
        assert head.startswith("HTTP/1.1 200 OK"), f"the head is {head!r}"
        fields = dict(line.lower().split(": ", 1) for line in head.replace("\r", "").split("\n\n")[0].split("\n")[1:] if ": " in line)
        same(fields.get("content-type", "").split(";")[0], "text/event-stream", "Content-Type")
        same(fields.get("cache-control"), "no-store", "Cache-Control")
        same(fields.get("x-accel-buffering"), "no", "X-Accel-Buffering")
        same(fields.get("connection"), "close", "Connection")
        assert "content-length" not in fields and "transfer-encoding" not in fields, f"the stream has a length: {fields}"


@check("the page and its parts arrive whole")
def page():
    for path, begins in (("/", "<!doctype html>"), ("/page.css", ""), ("/page.js", ""), ("/icon.svg", "<svg")):
        text = curl(path)
        assert len(text) > 200 and text.lower().startswith(begins), f"{path} is {text[:80]!r}"


checks.run()
