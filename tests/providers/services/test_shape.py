import pytest

from dirigent.lang.shape import Record, check
from dirigent.lang.stack import stack_schema, stack_shape
from dirigent.lang.tree import Items, Leaf, Member, Members
from dirigent.model.source import Span
from dirigent.providers.services.configuration import PROPERTIES, read
from dirigent.providers.services.shape import SERVICE

HERE = Span("stack.yaml", 1, 1, 1, 2)


def node(value):
    match value:
        case dict():
            return Members({key: Member(key, HERE, node(inner)) for key, inner in value.items()}, HERE)
        case list():
            return Items(tuple(node(inner) for inner in value), HERE)
    return Leaf(value, HERE)


def problems(inside, **beside):
    found = []
    stack = {"stack": "shop", "resources": {"api": {"type": "service", "with": inside, **beside}}}
    check(node(stack), stack_shape({"service": SERVICE}), found)
    return [(problem.code, problem.message) for problem in found]


GOOD = [
    {"command": ["serve"]},
    {"command": ["serve", 80, True], "environment": {"A": "b", "N": 1}, "directory": "app", "port": "auto"},
    {"command": ["serve"], "port": 8080, "stop": {"grace": "PT1M30S"}},
    {"command": ["serve"], "health": {"http": "/health", "interval": 1, "within": {"minutes": 1}}},
    {"command": ["serve"], "health": {"command": ["curl", "-f"], "healthy": 2, "unhealthy": 5}},
    {"command": ["serve"], "health": {"alive": True}, "restart": {"delay": 0.1, "most": 5, "max": 3}},
]
BAD = [
    ({}, "E1202", "command"),
    ({"command": []}, "E1208", "command"),
    ({"command": "serve"}, "E1201", "command"),
    ({"command": ["x"], "enviroment": {}}, "E1203", "enviroment"),
    ({"command": ["x"], "port": 70000}, "E1207", "port"),
    ({"command": ["x"], "port": "any"}, "E1206", "port"),
    ({"command": ["x"], "health": {"http": "health"}}, "E1205", "http"),
    ({"command": ["x"], "health": {"http": "/", "tcp": True}}, "E1213", "tcp"),
    ({"command": ["x"], "health": {"within": 5}}, "E1209", "health"),
    ({"command": ["x"], "stop": {"grace": "10 s"}}, "E1205", "grace"),
    ({"command": ["x"], "restart": {"max": 1.5}}, "E1201", "max"),
]


@pytest.mark.parametrize("inside", GOOD)
def test_what_the_shape_takes_the_provider_takes(inside):
    assert problems(inside, runtime="process", replicas=2) == []
    _, found = read({**inside, "runtime": "process", "replicas": 2}, "/", {}, str)
    assert (found.mistakes, found.secrets) == ([], [])


@pytest.mark.parametrize(("inside", "code", "name"), BAD)
def test_what_does_not_fit_is_found_in_the_document(inside, code, name):
    assert [found for found, message in problems(inside)] == [code]
    assert name in problems(inside)[0][1]


@pytest.mark.parametrize(
    ("beside", "code"),
    [({"runtime": "docker"}, "E1206"), ({"runtime": "${ .x }"}, "E1214"), ({"replicas": -1}, "E1207")],
)
def test_keys_beside_with_are_checked_too(beside, code):
    assert [found for found, _ in problems({"command": ["x"]}, **beside)] == [code]


def test_every_value_but_the_runtime_may_be_an_expression():
    inside = dict.fromkeys(SERVICE.inside.fields, "${ $inputs.x }")
    assert problems(inside, replicas="${ $inputs.n }") == []


def test_shape_and_provider_know_the_same_properties():
    assert {*SERVICE.inside.fields, *SERVICE.beside} == set(PROPERTIES)


def test_every_property_has_a_description_for_editors():
    assert stack_schema({"service": SERVICE})["type"] == "object"
    pending = [SERVICE.inside]
    while pending:
        for field in pending.pop().fields.values():
            assert field.description
            if isinstance(field.shape, Record):
                pending.append(field.shape)
