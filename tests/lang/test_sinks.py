"""The section `events` of a stack: where events go, and every mistake with its code and its place."""

from __future__ import annotations

import pytest

from dirigent.app.resources import TYPES
from dirigent.lang.stack.outside.sinks import DSL
from dirigent.model.events.sink import Mode, Sink, ToFile, ToStdout, ToWeb
from dirigent.model.problem import Refusal
from dirigent.model.values import leaves
from dirigent.service.stacks import load_stack

HEAD = "stack: demo\nsecrets:\n  token: {env: TOKEN}\nevents:\n"


@pytest.fixture
def read(tmp_path):
    def reading(text):
        (tmp_path / "stack.yaml").write_text(HEAD + text)
        return load_stack(tmp_path / "stack.yaml", TYPES).stack

    return reading


def test_sinks_are_read_with_what_they_want(read):
    stack = read(
        "  out: {stdout: true}\n"
        "  audit: {file: logs/events.jsonl, types: ['a.*', b], sources: [/shop]}\n"
        "  hook: {http: 'https://events.example.com/in', mode: binary}\n"
        "  many: {http: {uri: 'http://10.0.0.1:8080/', authentication: {bearer:"
        " {token: '${ $secrets.token }'}}}, batch: 50}\n"
    )
    assert stack.sinks["out"] == Sink("out", ToStdout())
    assert stack.sinks["audit"] == Sink("audit", ToFile("logs/events.jsonl"), ("a.*", "b"), ("/shop",))
    hook, many = stack.sinks["hook"].to, stack.sinks["many"].to
    assert isinstance(hook, ToWeb)
    assert (hook.mode, hook.batch, hook.hosts) == (Mode.BINARY, 1, ("events.example.com",))
    assert hook.request["endpoint"] == "https://events.example.com/in"
    assert (many.mode, many.batch, many.hosts) == (Mode.STRUCTURED, 50, ("10.0.0.1:8080",))
    assert [leaf.text.strip() for leaf in leaves(many.request)] == ["$secrets.token"]
    assert DSL


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("  a: {stdout: false}\n", "E1950"),
        ("  a: {http: 'https://a.example', mode: binary, batch: 5}\n", "E1951"),
        ("  a: {http: 'https://a.example/{id}'}\n", "E1953"),
        ("  a: {http: '${ .url }'}\n", "E1953"),
        (
            "  a: {http: {uri: 'https://a.example', authentication: {bearer: {token: '${ .t }'}}}}\n",
            "E1953",
        ),
        ("  a: {file: x}\n  b: {file: x}\n", "E1954"),
        ("  a: {http: 'no uri'}\n", "E1310"),
        (
            "  a: {http: {uri: 'https://a.example', authentication: {bearer: {token: '${ $secrets.t }'}}}}\n",
            "E1303",
        ),
        ("  a: {file: ''}\n", "E1205"),
        ("  a: {}\n", "E1209"),
        ("  a: {stdout: true, file: x}\n", "E1213"),
        ("  a: {stdout: true, types: []}\n", "E1208"),
        ("  a: {http: 'https://a.example', batch: 0}\n", "E1207"),
        ("  a: {http: 'https://a.example', mode: loud}\n", "E1206"),
        ("  a: {stdout: true, batch: 5}\n", "E1203"),
        ("  Big: {stdout: true}\n", "E1211"),
    ],
)
def test_every_mistake_is_said_once_and_where_it_stands(read, text, code):
    with pytest.raises(Refusal) as caught:
        read(text)
    (problem,) = caught.value.problems
    assert problem.code == code
    assert problem.at is not None
    assert problem.at.line >= 5
