"""Python `httpx-sse`: event streams that we write, from our server and cut at every byte; then docs/vectors/streams.json."""

import codecs
import json
import re
from pathlib import Path

import httpx
from checks import base, check, run, same
from differences import PAGE, Table
from httpx_sse import connect_sse
from httpx_sse._decoders import SSEDecoder, SSELineDecoder

READER = "httpx-sse"
CASES = json.loads(Path(__file__).with_name("streams.json").read_text())
CASES += [
    {"case": "long lines", "events": [{"data": "x" * (1 << 20)}, {"data": ("ü" * 30_000 + "\n") * 10}, {"name": "n" * 50_000, "data": "a"}]},
    {"case": "many lines", "events": [{"data": "\n" * 20_000}, {"data": "a\r\n" * 20_000}]},
]
VECTORS = [vector for vector in json.loads((PAGE.parent / "vectors" / "streams.json").read_text())["vectors"] if len(vector["streams"]) == 1]
table = Table("Event streams that others read", READER)
client = httpx.Client(trust_env=False)


def dispatched(events):
    """WHATWG HTML §9.2.6: what is dispatched for these events."""
    last = ""
    for event in events:
        last = event.get("id", last)
        if "data" in event:
            yield [event.get("name") or "message", last, re.sub("\r\n?", "\n", event["data"])]


def told(event):
    return [event.event, event.id, event.data]


def parsed(pieces):
    """What the package's decoders say of bytes that come in these pieces."""
    text, lines, events = codecs.getincrementaldecoder("utf-8")("replace"), SSELineDecoder(), SSEDecoder()
    read = [events.decode(line) for piece in pieces for line in lines.decode(text.decode(piece))]
    return [told(event) for event in read if event]


def settle(name, seen, wanted):
    """Fails unless these events were read, or the table says how the first that was not is read."""
    first = next((at for at, (one, other) in enumerate(zip(seen, wanted)) if one != other), min(len(seen), len(wanted)))
    words = f"is {json.dumps(seen[first], ensure_ascii=False, separators=(',', ':'))}" if first < len(seen) else "is missing"
    return table.settle(f"{READER}: {name}", seen == wanted, f"event {first + 1} {words}")


def round_trip(number, name, events):
    @check(f"{READER}: {name}")
    def case():
        url = f"{base()}/streams/{number}"
        same(client.post(url, content=json.dumps(events)).status_code, 204, "the status")
        with connect_sse(client, "GET", url) as source:
            seen = [told(event) for event in source.iter_sse()]
        body = client.get(url).content
        if len(body) < 4000:
            for at in range(len(body)):
                same(parsed([body[:at], body[at:]]), seen, f"what was read when cut at {at}")
        same(parsed(body[at : at + 1] for at in range(len(body))), seen, "what was read byte by byte")
        return settle(name, seen, list(dispatched(events)))


def vector(name, body, events):
    @check(f"{READER}: {name}")
    def case():
        data = bytes.fromhex(body["hex"]) if "hex" in body else body["text"].encode()
        return settle(name, parsed([data]), [[event["name"], event["id"], event["data"]] for event in events])


for number, each in enumerate(CASES):
    round_trip(number, each["case"], each["events"])
for each in VECTORS:
    vector(each["id"], each["streams"][0], each["events"])
check("every row of docs/conformance.md is needed")(table.nothing_stale)
run()
