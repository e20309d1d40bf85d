"""Every field that the published schema knows, the documents of the tests that use it, and what it refuses.

A field is a key of an object at one place of the schema. Which fields a document uses, the validator of the
schema says; which of them run, the suites say.
"""

from __future__ import annotations

import copy
import json
import re
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import jsonschema_rs
import yaml

from conformance import kit, test_examples, test_kit, test_scenarios, test_semantics
from conformance.constructs import TABLE
from dirigent.jq import LANGUAGE
from dirigent.lang.source import load
from dirigent.lang.tree import Items, Members, plain
from dirigent.lang.workflow.document import read_naked

ROOT = Path(__file__).parents[2]
HEAD = {"document": {"dsl": "1.0.3", "namespace": "tests", "name": "fields", "version": "1.0.0"}}
JUNK = (7, "no such thing", [], {}, None, True, [7], {"no such": 1}, -1, "${", [["x"]])


@dataclass
class Use:
    """The first documents that use a field: those that run, by suite, and where one has it."""

    suites: dict = field(default_factory=dict)
    places: list = field(default_factory=list)


@cache
def schema():
    return plain(load((kit.FOLDER / "schema" / "workflow.yaml").read_text(), "schema.yaml")[0])


@cache
def fields():
    """Return every field of the schema: its pointer, and its name for people."""
    found = {}
    waiting = [("", schema())]
    while waiting:
        pointer, node = waiting.pop()
        if isinstance(node, list):
            waiting += [(f"{pointer}/{number}", each) for number, each in enumerate(node)]
        elif isinstance(node, dict):
            waiting += [(f"{pointer}/{name}", each) for name, each in node.items()]
            if isinstance(node.get("properties"), dict):
                # What is false may not stand there.
                names = [name for name, each in node["properties"].items() if each is not False]
                found.update({f"{pointer}/properties/{name}": None for name in names})
    # A condition names a field a second time; what a process gives is no field of a document.
    passed = ("/if/", "/$defs/processResult/")
    return {
        pointer: shown(pointer) for pointer in sorted(found) if not any(part in pointer for part in passed)
    }


def shown(pointer):
    """Return the name of a field: `callTask(asyncapi).with.document`."""
    call = re.match(r"/\$defs/callTask/oneOf/(\d+)/", pointer)
    if call:
        body = schema()["$defs"]["callTask"]["oneOf"][int(call[1])]["allOf"][1]
        kind = body["properties"]["call"].get("const", "function")
        pointer = pointer.replace(call[0], f"/callTask({kind})/")
    plain_ = re.sub(r"/(\$defs|properties|additionalProperties|(allOf|oneOf)/\d+)(?=/)", "", pointer)
    return plain_.removeprefix("/").replace("/", ".")


PAGE = """\
# Fields of the standard, one by one

Every field that the published schema knows: where a document of the tests that *runs* uses it, and which
wrong value it refuses, with which code and in its place. `pytest tests/conformance/test_fields.py --rewrite`
writes the page anew; the constructs that the fields belong to are in [coverage](coverage.md).

"""


def page():
    """Return the page."""
    rows = ["| field | its behaviour is tested by | its bad input |", "|---|---|---|"]
    for pointer, name in sorted(fields().items(), key=lambda each: each[1]):
        use = uses()[pointer]
        refused = refusal(use)
        told = f"`{json.dumps(refused[0])}`: {refused[1]}" if refused else FREE.get(name, "")
        suites = GIVEN.get(name) or ", ".join(suites_of(use))
        rows.append(f"| `{name}` | {suites} | {told} |")
    here = sum(bool(suites_of(use)) for use in uses().values())
    return f"{PAGE}{here} of {len(fields())} fields are in documents that run.\n\n" + "\n".join(rows) + "\n"


# What a subscription gives, which no document has, and what shows that it does.
GIVEN = {"asyncApiInboundMessage.correlationId": "`tests/tasks/asyncapi/test_inbound.py`"}
# Fields that take whatever is written, and why.
FREE = {
    **dict.fromkeys(GIVEN, "a document cannot write it"),
    "callTask(http).with.body": "any value may be sent",
    "asyncApiOutboundMessage.payload": "any value may be sent",
}


@cache
def documents():
    """Return the documents that run, by suite and name."""
    found = {("published examples", name): test_examples.EXAMPLES[name] for name in test_examples.NOW}
    for suite, scenarios in (("kit", test_kit.NOW), ("our scenarios", test_scenarios.SCENARIOS)):
        found.update({(suite, each.name): each.text_of(kit.DEFINITION) for each in scenarios})
    for title, case in test_semantics.CASES.items():
        body = {key: part for key, part in case.items() if key not in ("in", "events", "gives", "fails")}
        found["semantics", title] = yaml.safe_dump({**HEAD, **body}, sort_keys=False)
    for path in sorted((ROOT / "tests/core/scenarios").glob("*.yaml")):
        body = yaml.safe_load(path.read_text().partition("---\n")[2].partition("----\n")[0])
        if isinstance(body, dict) and "do" in body:
            found["scenarios of the core", path.stem] = yaml.safe_dump({**HEAD, **body}, sort_keys=False)
    return {key: plain(load(text, "doc.yaml")[0]) for key, text in found.items()}


@cache
def uses():
    """Return how each field is used, by its pointer."""
    found = {pointer: Use() for pointer in fields()}
    validator = jsonschema_rs.validator_for(schema())
    # The smallest uses only lend a place to put something wrong: nobody runs them.
    fragments = {("fragments", row.name): plain(load(json.dumps(row.document), "f.json")[0]) for row in TABLE}
    for (suite, name), document in {**documents(), **fragments}.items():
        for each in validator.evaluate(document).annotations():
            where = each["absoluteKeywordLocation"].partition("#")[2]
            if not where.endswith("/properties") or not isinstance(each["annotations"], list):
                continue
            for key in each["annotations"]:
                use = found.get(f"{where}/{key}")
                if use is not None:
                    use.suites.setdefault(suite, name)
                    use.places.append((document, f"{each['instanceLocation']}/{key}"))
    return found


def suites_of(use):
    """Return the suites in which a field runs."""
    return [suite for suite in use.suites if suite != "fragments"]


def refusal(use):
    """Return a value that a field refuses at its place and the code, or None."""
    for document, pointer in sorted(use.places, key=lambda place: len(json.dumps(place[0])))[:6]:
        text = json.dumps(document)
        program, _ = read_naked(text, "doc.json", LANGUAGE)
        if program is None:
            continue
        for junk in JUNK:
            problem = _refused(document, pointer, junk)
            if problem is not None:
                return junk, problem.code
    return None


def _refused(document, pointer, junk):
    """Return the problem of a document with junk under a pointer that lies at or in its place."""
    other = copy.deepcopy(document)
    *path, last = [part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:]]
    holder = other
    for part in path:
        holder = holder[int(part) if isinstance(holder, list) else part]
    if holder[last] == junk:
        return None
    holder[last] = junk
    text = json.dumps(other)
    program, problems = read_naked(text, "doc.json", LANGUAGE)
    if program is not None:
        return None
    first, end = _span(load(text, "doc.json")[0], [*path, last])
    return next(
        (
            each
            for each in problems
            if each.severity == "error" and first <= (each.at.line, each.at.column) <= end
        ),
        None,
    )


def _span(node, path):
    """Return where the key at a path begins and its value ends."""
    begin = (node.span.line, node.span.column)
    for part in path:
        if isinstance(node, Members):
            begin = (node.members[part].key_span.line, node.members[part].key_span.column)
            node = node.members[part].node
        elif isinstance(node, Items):
            node = node.items[int(part)]
    return begin, (node.span.end_line, node.span.end_column)
