"""The request vectors of gunicorn (tests/requests of its source package): is what it refuses refused, and what it accepts read alike?"""

import re
import sys
import types

from checks import same
from differences import Table
from gunicorn.config import Config
from gunicorn.util import split_request_uri
from heads_read import answers, package, read, run, told, with_host

ESCAPES = {b"\\r\\n": b"\r\n", b"\\0": b"\0", b"\\n": b"\n", b"\\t": b"\t"}
TABLE = Table("gunicorn's request vectors")


def decoded(text):
    """The bytes that a .http file stands for: its own line ends mean nothing."""
    data = text.replace(b"\n", b"")
    for escape, meaning in ESCAPES.items():
        data = data.replace(escape, meaning)
    return re.sub(rb"\\x([0-9a-fA-F]{2})", lambda escape: bytes.fromhex(escape[1].decode()), data)


def uri(raw):
    parts = split_request_uri(raw)
    return {"raw": raw, "path": parts.path or "", "query": parts.query or ""}


def expected(source, name):
    """What the .py file beside it expects: a list of requests, or an error's class."""
    module = types.ModuleType("__config__")
    module.uri, module.cfg = uri, Config()
    exec(compile(source, name, "exec"), vars(module))
    return module.request


def meant(request):
    """A request that gunicorn accepts, in the words of our server."""
    body = request["body"]
    return {
        "method": request["method"],
        "path": request["uri"]["path"],
        "query": request["uri"]["query"],
        "version": "HTTP/{}.{}".format(*request["version"]),
        "fields": [[name, value] for name, value in request["headers"]],
        "body": body if isinstance(body, str) else body.decode("latin-1"),
    }


def seen(reading, wanted):
    """What our server has read, in gunicorn's words: names in capitals, a query that is there, be it empty, and no Host that we have added."""
    fields = [[name.upper(), value] for name, value in reading["fields"]]
    if fields[:1] == [["HOST", "localhost"]] != wanted["fields"][:1]:
        fields = fields[1:]
    return {**reading, "query": reading["query"] or "", "fields": fields}


def accepted(name, data, requests):
    def case():
        statuses, readings = read(with_host(data, len(requests)))
        theirs = [200] * len(requests)
        ours = told(statuses)
        if statuses == theirs:
            wanted = [meant(request) for request in requests]
            ours = told(theirs) if list(map(seen, readings, wanted)) == wanted else "read otherwise"
        return TABLE.settle(name, ours == told(theirs), told(theirs), ours)

    return name, case


def refused(name, data):
    def case():
        statuses, _ = read(with_host(data, 1))
        return TABLE.settle(name, statuses[-1:] != [200], "refused", told(statuses))

    return name, case


def hostless(cases):
    """RFC 9112 §3.2: as they stand, those that lack a Host are refused for that, whatever else they say."""

    def case():
        count = 0
        for name, data in cases:
            if with_host(data, 1) != data:
                same(answers(data)[0], [400], f"what is answered to {name} as it stands")
                count += 1
        return f"{count} vectors"

    return "without Host: 400", case


def main():
    files = package("gunicorn")
    cases, bare = [], []
    for path, text in sorted(files.items()):
        match = re.fullmatch(r"tests/requests/((invalid|valid)/.+)\.http", path)
        if not match:
            continue
        name, kind = match.groups()
        data = decoded(text)
        if kind == "invalid":
            cases.append(refused(name, data))
            continue
        requests = expected(files[path.removesuffix("http") + "py"], path)
        requests = requests if isinstance(requests, list) else [requests]
        cases.append(accepted(name, data, requests))
        bare.append((name, data))
    count = [sum(name.startswith(kind) for name, _ in cases) for kind in ("invalid", "valid")]
    if count != [81, 62]:
        sys.exit(f"the package has {count} vectors, not 81 and 62")
    run([*cases, hostless(bare)], TABLE)


main()
