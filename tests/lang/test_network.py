"""How a stack says that its calls are made: time-outs, authorities, client certificates."""

import pytest

from dirigent.lang.stack import read_stack
from dirigent.model.stack import Identity, Network
from lang.fakes import context

HEAD = "stack: shop\nsecrets: {phrase: {env: PHRASE}}\n"


def read(http):
    return read_stack(f"{HEAD}policy: {{http: {{{http}}}}}\n", "stack.yaml", "/stack", context())


def test_a_stack_says_how_its_calls_are_made():
    stack, problems = read(
        "timeout: {connect: 5s, total: 2m}, authorities: ca.pem,"
        " certificates: {'api.internal:8443': {certificate: a.pem, key: a.key, password: phrase},"
        " b: {certificate: b.pem}}, tls: ['orders.internal:5011', b]"
    )
    assert not problems
    identities = {"api.internal:8443": Identity("a.pem", "a.key", "phrase"), "b": Identity("b.pem")}
    assert stack.network == Network(5.0, 120.0, "ca.pem", identities, ("orders.internal:5011", "b"))


def test_without_a_word_of_it_the_limits_hold():
    assert read("hosts: [a.example]")[0].network == Network()


@pytest.mark.parametrize(
    ("http", "code"),
    [
        ("certificates: {a: {certificate: a.pem, password: hunter2}}", "E1983"),
        ("certificates: {a: {key: a.key}}", "E1202"),
        ("certificates: {'a b': {certificate: a.pem}}", "E1211"),
        ("certificates: {a: {certificate: a.pem, verify: false}}", "E1203"),
        ("timeout: {total: 0s}", "E1205"),
        ("timeout: {total: forever}", "E1205"),
        ("timeout: {read: 5s}", "E1203"),
        ("authorities: ''", "E1205"),
        ("tls: ['https://a.example']", "E1205"),
        ("tls: true", "E1201"),
    ],
)
def test_what_cannot_be_meant_is_refused(http, code):
    stack, problems = read(http)
    assert stack is None
    assert [problem.code for problem in problems] == [code]
