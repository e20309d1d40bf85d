"""Documents that others publish can be read; what we refuse is refused for a reason that stands here."""

import copy
import json
import re

import jsonschema_rs
import pytest

from conformance import kit
from dirigent.jq import LANGUAGE
from dirigent.lang.shape import json_schema
from dirigent.lang.source import load
from dirigent.lang.tree import plain
from dirigent.lang.workflow.document import read_naked
from dirigent.lang.workflow.shapes import DEFINITIONS, DOCUMENT

pytestmark = kit.needed

EXAMPLES = kit.examples()
DEFINED = kit.definitions()
EVERY = EXAMPLES + DEFINED


def read(text):
    return read_naked(text, "example.yaml", LANGUAGE)


def of_severity(severity, text):
    return [problem for problem in read(text)[1] if problem.severity == severity]


def test_the_suites_are_whole():
    assert len(EXAMPLES) == 66
    assert len(DEFINED) == 21


@pytest.mark.parametrize(("name", "text"), EVERY, ids=[name for name, _ in EVERY])
def test_a_published_document_lowers_without_an_error(name, text):
    program, _ = read(text)
    assert of_severity("error", text) == []
    assert program is not None


def test_warnings_of_published_documents_are_the_known_ones():
    found = [
        (name, problem.code)
        for name, text in EVERY
        for problem in read(text)[1]
        if problem.severity == "warning"
    ]
    assert found == []


def test_the_schema_for_editors_takes_what_the_reader_takes():
    schema = jsonschema_rs.validator_for(json_schema(DOCUMENT, definitions=DEFINITIONS))
    for name, text in EVERY:
        program, _ = read(text)
        if program is not None:
            violations = [error.message for error in schema.iter_errors(program.definition)]
            assert violations == [], name


# Where we are stricter than the published schema, each with its reason in the register.
STRICTER = (
    r"E1205 .*\.method` must be text",
    r"E1210 .*\.(set|parameters)` must be an expression",
    r"E1208 .*\.(branches|all)` must have at least 1",
    r"E1202 .*\.(event|oauth2|oidc)` lacks",
    r"E1209 .*\.(oauth2|oidc)` must hold",
    r"E1207 .*\.?status` must be at least 100",
    r"E1201 .*\.environment\.",
    r"E1206 .*\.script\.language`",
    r"E1205 .*\.schema\.format`",
    r"E1205 `plain` is not a semantic version",
    r"E1203 unknown property `\w+x` in (an error filter|`errors`|the arguments of an? \w+ call)",
    r"E1203 unknown property `\w+x` in (a transport|an event|`endpoints`)",
    # What no schema can say: names, expressions, directives, lengths of time.
    r"E130\d ",
    r"E131\d ",
    r"E19[478]\d ",
    r"E206\d ",
    r"E1204 ",
)

# Where we take what the published schema refuses.
WIDER = (
    r"\.headers\.[^.]+$",
    r"\.query\.[^.]+$",
    r"\.arguments(\.\d+)?$",
    r"\.message\.payload$",
    r"\.stdio\.environment\.[^.]+$",
    r"\.for\.in$",
    r"\.emit\.event\.with\.source$",
    r"\.(listen|schedule)\..*\.with\.(type|source)$",
    r"\.lifetime\.after(\.minutes)?$",
    r"\.workflow\.version$",
    r"\.errors\.with$",
    r"\.(constant|linear|exponential)$",
)


@pytest.mark.slow
def test_one_change_anywhere_is_judged_as_the_published_schema_judges_it():
    judged = 0
    schema = (kit.FOLDER / "schema" / "workflow.yaml").read_text()
    published = jsonschema_rs.validator_for(plain(load(schema, "schema.yaml")[0]))
    for name, text in EVERY:
        for path, change, document in changed(plain(load(text, name)[0])):
            errors = [f"{each.code} {each.message}" for each in of_severity("error", json.dumps(document))]
            judged += 1
            told = f"{name}: {path} {change}: {errors}"
            if published.is_valid(document):
                unknown = [error for error in errors if not any(re.match(one, error) for one in STRICTER)]
                assert unknown == [], told
            elif not errors:
                assert any(re.search(known, path) for known in WIDER), told
    assert judged > 10_000


def changed(document):
    """Yield the document with one place changed, for every place and every change."""
    for path in places(document):
        for change, new in (("number", 7), ("text", "plain"), ("list", []), ("map", {}), ("null", None)):
            other = copy.deepcopy(document)
            holder = follow(other, path[:-1])
            if holder[path[-1]] != new:
                holder[path[-1]] = new
                yield shown(path), change, other
        other = copy.deepcopy(document)
        del follow(other, path[:-1])[path[-1]]
        yield shown(path), "deleted", other
        if isinstance(path[-1], str):
            other = copy.deepcopy(document)
            holder = follow(other, path[:-1])
            holder[path[-1] + "x"] = holder.pop(path[-1])
            yield shown(path), "renamed", other


def places(node, path=()):
    children = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, child in children:
        yield (*path, key)
        yield from places(child, (*path, key))


def follow(node, path):
    for key in path:
        node = node[key]
    return node


def shown(path):
    return "." + ".".join(map(str, path))
