"""The vectors, run against another project: what Python's `websockets` makes of frames.json and deflate.json.

    pip install websockets
    python run_websockets.py        # a line for each vector about which it and Longwire differ
"""

import json
from pathlib import Path

from websockets.extensions.permessage_deflate import PerMessageDeflate
from websockets.frames import Opcode
from websockets.protocol import OPEN, Protocol, Side

HERE = Path(__file__).parent


def bytes_of(text):
    """`81 85`, and `61*125` for the byte 61 a hundred and twenty-five times."""
    words = [word.partition("*") for word in text.split()]
    return b"".join(bytes.fromhex(digits) * int(times or 1) for digits, _, times in words)


def extensions(vector):
    keeps = vector.get("context") == "taken-over"
    return [PerMessageDeflate(not keeps, not keeps, 15, 15)] if "context" in vector else []


def event(kind, payload, close):
    """A message or a control frame, as the vectors say it."""
    if kind is Opcode.CLOSE:
        return {"close": close.code, "reason": close.reason} if payload else {"close": None}
    return {"text": payload.decode()} if kind is Opcode.TEXT else {kind.name.lower(): payload}


def wanted(event):
    """An event of a vector, with its bytes as bytes."""
    return {key: bytes_of(value) if key in ("binary", "ping", "pong") else value for key, value in event.items()}


def verdict(vector):
    """What has been received, and the code by which the connection has failed."""
    limit = vector.get("limits", {"message": 1 << 20})["message"]
    protocol = Protocol(Side[vector["role"].upper()], state=OPEN, max_size=limit)
    protocol.extensions = extensions(vector)
    protocol.receive_data(bytes_of(vector["bytes"]))
    seen, kind, payload = [], None, b""
    for frame in protocol.events_received():
        if frame.opcode in (Opcode.PING, Opcode.PONG, Opcode.CLOSE):
            seen.append(event(frame.opcode, frame.data, protocol.close_rcvd))
            continue
        kind, payload = (kind if frame.opcode is Opcode.CONT else frame.opcode), payload + frame.data
        if frame.fin:
            try:
                seen.append(event(kind, payload, None))
            except UnicodeDecodeError:
                return seen, 1007
            payload = b""
    failed = protocol.parser_exc is not None and protocol.close_sent
    return seen, protocol.close_sent.code if failed else None


def differences():
    """(table, vector, what `websockets` makes of it) for each vector of which it makes something else; bits of other extensions are left out."""
    for table in ("frames", "deflate"):
        for vector in json.loads((HERE / f"{table}.json").read_text())["vectors"]:
            if "negotiated" not in vector:
                events, code = verdict(vector)
                if (events, code) != ([wanted(one) for one in vector["events"]], vector.get("close")):
                    yield table, vector, f"{len(events)} events, {code or 'no fault'}"


if __name__ == "__main__":
    for table, vector, seen in differences():
        print(f"{table}: {vector['id']}: {len(vector['events'])} events, {vector.get('close', 'no fault')}; websockets: {seen}")
