"""The request tests of llhttp, which the source package of aiohttp brings along: Markdown with the bytes of a request, and what the parser says.

Only its strict mode is compared: its lenient modes are there to accept what is wrong.
"""

import json
import re
import sys

from differences import Table
from heads_read import package, read, run, told, with_host

FOLDER = "vendor/llhttp/test/request/"
HEADING = re.compile(r"^#+ (.+)$", re.M)
META, HTTP, LOG = re.compile(r"<!-- meta=(\{.*\}) *-->"), re.compile(r"^```http\n(.*?)^```", re.M | re.S), re.compile(r"^```log\n(.*?)^```", re.M | re.S)
NO_FAULT = {"5", "21", "22", "23"}  # the connection ends here, or the test has told the parser to pause
TABLE = Table("llhttp's request tests")


def decoded(text):
    """The bytes that a block stands for, as llhttp's own runner makes them."""
    text = re.sub(r"\\\n", "", text.removesuffix("\n")).replace("\n", "\r\n")
    for escape, meaning in (("\\r", "\r"), ("\\n", "\n"), ("\\t", "\t"), ("\\f", "\f")):
        text = text.replace(escape, meaning)
    text = re.sub(r"\\x([0-9a-fA-F]+)", lambda escape: chr(int(escape[1], 16)), text)
    text = re.sub(r"\\([0-7]{1,3})", lambda escape: chr(int(escape[1], 8)), text)
    text = re.sub(r"\$\{'(.+?)'\.repeat\((\d+)\)\}", lambda script: script[1] * int(script[2]), text)
    return text.encode()


def verdict(log):
    """How many requests the parser has seen whole, and whether it then found a fault."""
    error = re.search(r"error code=(\d+)", log)
    return len(re.findall("message complete", log)), bool(error and error[1] not in NO_FAULT)


def in_words(whole, fault):
    return ", ".join(["200"] * whole + ["refused"] * fault) or "no request"


def case(name, data, whole, fault):
    def compare():
        sent = with_host(data, whole + fault)
        statuses, _ = read(sent)
        if fault and len(statuses) == whole:
            # The parser stops where the fault is, we read the head to its end first: here it comes.
            statuses, _ = read(sent + b"\r\n\r\n")
        ours = statuses.count(200), any(status != 200 for status in statuses)
        return TABLE.settle(name, ours == (whole, fault), in_words(whole, fault), told(statuses))

    return name, compare


def tests(page):
    """The title, the meta data, the bytes and the log of each test on a page."""
    titles = list(HEADING.finditer(page))
    for title, following in zip(titles, [*titles[1:], None]):
        section = page[title.end() : following.start() if following else len(page)]
        found = [pattern.search(section) for pattern in (META, HTTP, LOG)]
        if all(found):
            meta, http, log = (match[1] for match in found)
            yield title[1], json.loads(meta), http, log


def main():
    cases = {}
    for path, text in sorted(package("aiohttp").items()):
        if not path.startswith(FOLDER) or not path.endswith(".md"):
            continue
        for title, meta, http, log in tests(text.decode()):
            if meta["type"] != "request" or meta.keys() & {"skip", "skipBody", "pause"}:
                continue
            name = f"{path.removeprefix(FOLDER).removesuffix('.md')}: {title}"
            while name in cases:
                name += "'"
            cases[name] = case(name, decoded(http), *verdict(log))
    if len(cases) != 120:
        sys.exit(f"the package has {len(cases)} such tests, not 120")
    run(cases.values(), TABLE)


main()
