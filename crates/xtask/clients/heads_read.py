"""What the suites of request heads share: bytes go to our server, which says how it read them.

A suite brings cases; each is sent whole, then again a byte a packet, and both must be read alike.
"""

import io
import json
import os
import re
import tarfile
from pathlib import Path

import checks
from checks import Wire, same

LONGEST = 3000  # bytes of a case that is also sent byte by byte
LINE_OF_1_1 = re.compile(rb"[^\r\n]* HTTP/1\.1\r\n")


def package(name):
    """The files of a source package, by their paths in it."""
    (archive,) = Path(os.environ["SOURCES"]).glob(f"{name}-*.tar.gz")
    with tarfile.open(archive) as files:
        members = [member for member in files if member.isfile()]
        return {member.name.partition("/")[2]: files.extractfile(member).read() for member in members}


def with_host(data, requests):
    """The same bytes with a Host where RFC 9112 §3.2 demands one and the suite does not: else all would be refused for that."""
    pieces, at = [], 0
    for line in LINE_OF_1_1.finditer(data):
        first = line.start() == len(data) - len(data.lstrip(b"\r\n"))
        head = data[line.end() : data.find(b"\r\n\r\n", line.end() - 2) + 2]
        if (first or requests > 1) and not re.search(rb"^host[ \t]*:", head, re.I | re.M):
            pieces += [data[at : line.end()], b"Host: localhost\r\n"]
            at = line.end()
    return b"".join([*pieces, data[at:]])


def answers(data, drip=False):
    """Statuses of all that is answered until the connection ends, and what was read, for each 200."""
    statuses, readings = [], []
    with Wire() as wire:
        try:
            wire.drip(data) if drip else wire.send(data)
            wire.socket.shutdown(1)
        except OSError:
            pass  # it need not listen to the end of what it has refused
        to = "HEAD" if data.startswith(b"HEAD ") else "GET"
        try:
            while wire.received or wire._more():
                response = wire.response(to)
                if response.status >= 200:
                    statuses.append(response.status)
                    readings += [json.loads(response.body)] if response.status == 200 and to == "GET" else []
        except ConnectionResetError:
            pass  # bytes that were on their way when it had stopped to listen
    return statuses, readings


def read(data):
    """As `answers`, after making sure that packets make no difference."""
    statuses, readings = answers(data)
    if len(data) <= LONGEST:
        same(answers(data, drip=True), (statuses, readings), "what is answered byte by byte")
    return statuses, readings


def told(statuses):
    return ", ".join(map(str, statuses)) or "no answer"


def run(cases, table):
    """A check for each (name, function), and one for the table."""
    checks.run([*cases, ("every row of docs/conformance.md is needed", table.nothing_stale)])
