"""docs/vectors: every table is as its schema says, its README counts it right, and Python's `websockets` differs from it only where the page says so."""

import json
import re
import sys

import jsonschema
from checks import check, run, same
from differences import PAGE, Table

VECTORS = PAGE.parent / "vectors"
sys.path.insert(0, str(VECTORS))

import run_websockets  # noqa: E402: it lies with the vectors

SCHEMA = json.loads((VECTORS / "schema.json").read_text())
TABLES = {path.stem: json.loads(path.read_text()) for path in VECTORS.glob("*.json") if path.stem != "schema"}
COUNTS = {name: int(count) for name, count in re.findall(r"^\| \[(\w+)\.json\]\(\1\.json\) \| (\d+) \|", (VECTORS / "README.md").read_text(), re.M)}
table = Table("The vectors and `websockets`")
validators = {name: jsonschema.Draft202012Validator({**SCHEMA, "$ref": f"#/$defs/{name}"}) for name in TABLES}


@check("the schema is one")
def schema():
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    same(sorted(SCHEMA["$defs"]), sorted([*TABLES, "event"]), "what it defines")


def conforms(name, content):
    @check(f"{name}.json is as its schema says")
    def case():
        faults = [f"{'/'.join(map(str, fault.path))}: {fault.message}" for fault in validators[name].iter_errors(content)]
        assert not faults, faults[0][:300]
        return f"{len(content['vectors'])} vectors"

    @check(f"{name}.json would not be without a reason, nor with what no vector has")
    def refuses():
        first = content["vectors"][0]
        for broken in ({key: value for key, value in first.items() if key != "reason"}, {**first, "resaon": "?"}, {**first, "id": "No id"}):
            assert not validators[name].is_valid({**content, "vectors": [broken]}), f"{broken} is taken"


@check("the README counts them, and every name is one vector's")
def counts():
    same(COUNTS, {name: len(content["vectors"]) for name, content in TABLES.items()}, "what the README counts")
    ids = [vector["id"] for content in TABLES.values() for vector in content["vectors"]]
    same(len(set(ids)), len(ids), "the number of names")
    assert f"{len(ids)} cases" in (VECTORS / "README.md").read_text(), f"the README does not say that there are {len(ids)}"
    return f"{len(ids)} vectors"


def differs(kind, vector, seen):
    @check(f"{kind}.json: {vector['id']}")
    def case():
        return table.settle(vector["id"], False, f"{len(vector['events'])} events, {vector.get('close', 'no fault')}", seen)


for each, content in TABLES.items():
    conforms(each, content)
for kind, vector, seen in run_websockets.differences():
    differs(kind, vector, seen)
check("every row of docs/conformance.md is needed")(table.nothing_stale)
run()
