"""The types of providers in a stack: found by the prefix of a type or by `provider`, and checked in place."""

import json
from dataclasses import replace

import pytest

from dirigent.lang.schema import SCHEMAS
from dirigent.lang.shape import Field, ListOf, Record, Text, Whole
from dirigent.lang.stack import (
    Offer,
    Provided,
    TypeShape,
    declared_providers,
    read_stack,
    stack_schema,
)
from dirigent.model.problem import Problem
from dirigent.model.source import Span
from lang.fakes import context

IMAGE = TypeShape(Record({"name": Field(Text(), required=True)}, title="`with` of a `docker_image`"))
PORTS = Record({"ports": Field(ListOf(Whole())), "image": Field(Text())}, title="a container")
DOCKER = Offer(
    {"docker_image": IMAGE, "docker_container": TypeShape(PORTS)},
    Record({"host": Field(Text())}, title="`with` of the provider `docker`"),
)
CONTEXT = context()
HEAD = "stack: shop\nproviders:\n  docker: {source: kreuzwerker/docker, version: ~> 3.0}\n"
RESOURCES = f"{HEAD}resources:\n"


class Going:
    what = "a mapping"

    def inspect(self, place):
        place.report("W1427", "`docker_image` is deprecated", place.where)


def read(text, offers=None, asked=None):
    def answer(declared):
        if asked is not None:
            asked.update(declared)
        return {"docker": DOCKER} if offers is None else offers

    stack, problems = read_stack(text, "stack.yaml", "/shop", replace(CONTEXT, offers=answer))
    return stack, [(each.code, each.at.line, each.at.column) for each in problems], problems


def test_the_types_of_a_provider_are_checked_in_their_places():
    text = f"""{RESOURCES}  web: {{type: docker_container, with: {{ports: [80, a], imag: x}}}}
  a: {{type: docker_image}}
"""
    assert read(text)[1] == [("E1201", 5, 52), ("E1203", 5, 56), ("E1202", 6, 3)]


def test_a_right_stack_is_read():
    stack, problems, _ = read(
        f"{RESOURCES}  web: {{type: docker_container, with: {{ports: '${{ [80] }}'}}}}\n"
    )
    assert not problems
    assert stack.resources["web"].provider == "docker"


def test_providers_are_asked_for_by_their_full_source_and_once():
    asked = {}
    further = "  west: {of: docker, with: {host: a}}\n  lost: {of: nothing}\n  bad: {source: a/b/c/d}\n"
    further += "  odd: {source: a/b, version: x}\n"
    read(f"{HEAD}{further}", asked=asked)
    source = "registry.opentofu.org/kreuzwerker/docker"
    assert [(name, each.name, each.source, each.version, each.of) for name, each in asked.items()] == [
        ("docker", "docker", source, "~> 3.0", ""),
        ("west", "west", source, "~> 3.0", "docker"),
    ]
    assert asked["west"].span.line == 4
    assert declared_providers(f"{HEAD}{further}", "stack.yaml") == asked
    assert declared_providers("- a\n", "stack.yaml") == {}
    assert declared_providers("a: [", "stack.yaml") == {}


KEYED = Record({"key": Field(Text(), required=True)}, title="`with` of it")
LOOKS = {
    "read": {"docker_network": TypeShape(KEYED)},
    "open": {"docker_token": TypeShape(KEYED)},
    "call": {"parse": TypeShape(KEYED)},
}
LOOKING = {"docker": replace(DOCKER, looks=LOOKS)}


@pytest.mark.parametrize("entry", ["read: docker_network", "open: docker_token", "call: docker::parse"])
def test_what_is_looked_up_opened_or_called_is_checked_like_a_resource(entry):
    at = len(f"  a: {{{entry}, with: {{") + 1
    assert read(f"{RESOURCES}  a: {{{entry}, with: {{kye: x}}}}\n", LOOKING)[1] == [("E1203", 5, at)]
    assert read(f"{RESOURCES}  a: {{{entry}}}\n", LOOKING)[1] == [("E1202", 5, 3)]
    assert not read(f"{RESOURCES}  a: {{{entry}, with: {{key: x}}, count: 2}}\n", LOOKING)[1]
    # Of a provider that tells only its types anything goes.
    assert not read(f"{RESOURCES}  a: {{{entry}, with: {{kye: x}}}}\n")[1]


@pytest.mark.parametrize(
    ("entry", "meant"),
    [
        ("read: docker_netwrok", "docker_network"),
        ("open: docker_tokne", "docker_token"),
    ],
)
def test_what_its_provider_does_not_have_gets_a_suggestion(entry, meant):
    _, places, (problem,) = read(f"{RESOURCES}  a: {{{entry}}}\n", LOOKING)
    assert (places, problem.label) == ([("E1425", 5, 13)], f"did you mean `{meant}`?")


def test_a_function_that_is_not_known_yet_is_left_to_its_provider_which_may_have_it_when_it_is_configured():
    assert not read(f"{RESOURCES}  a: {{call: docker::late, with: {{key: x}}}}\n", LOOKING)[1]


def test_a_function_may_be_called_by_its_longer_name():
    assert not read(f"{RESOURCES}  a: {{call: 'provider::docker::parse', with: {{key: x}}}}\n", LOOKING)[1]


def test_a_type_that_nobody_has_gets_a_suggestion():
    _, places, (problem,) = read(f"{RESOURCES}  web: {{type: docker_contaner}}\n")
    assert places == [("E1425", 5, 15)]
    assert problem.label == "did you mean `docker_container`?"
    _, _, (problem,) = read(f"{RESOURCES}  web: {{type: docker_zzzzzzzzzzzzzzzzzz}}\n")
    assert problem.help[0] == "it has: docker_image, docker_container"
    _, _, (problem,) = read(f"{RESOURCES}  web: {{type: service, provider: docker}}\n")
    assert problem.help[0] == "`service` is a type of Dirigent's own: remove `provider`"


def test_another_configuration_of_a_provider_has_its_types():
    text = f"{HEAD}  west: {{of: docker}}\nresources:\n  a: {{type: docker_image, provider: west}}\n"
    both = {"docker": DOCKER, "west": DOCKER}
    assert read(text, both)[1] == [("E1202", 6, 3)]


def test_a_type_whose_prefix_is_wrong_too_gets_a_suggestion_of_a_provider():
    _, places, (problem,) = read(f"{RESOURCES}  web: {{type: doker_image}}\n")
    assert places == [("E1414", 5, 15)]
    assert "or write `docker_image`" in problem.help
    _, _, (problem,) = read(f"{RESOURCES}  web: {{type: zzz}}\n")
    assert "or declare the provider of that type under `providers`" in problem.help


@pytest.mark.parametrize(
    ("rule", "column", "words"),
    [
        ("identity: 'a/{imag}'", 65, "`identity` names `imag`, which a `docker_container` does not have"),
        ("ignore: [image, prots]", 71, "`ignore` names `prots`, which a `docker_container` does not have"),
        ("ignore: ['with.prots[0]']", 64, "`ignore` names `prots`, which a `docker_container` does not have"),
    ],
)
def test_a_rule_about_what_the_type_does_not_have_is_refused(rule, column, words):
    text = f"{RESOURCES}  web: {{type: docker_container, with: {{}}, lifecycle: {{{rule}}}}}\n"
    _, places, (problem,) = read(text)
    assert (places, problem.message) == ([("E1429", 5, column)], words)
    assert not read(text, {})[1], "of an unknown type nothing can be said"


def test_a_rule_about_what_the_type_has_is_taken():
    for rule in ("identity: '{image}/x'", "ignore: [ports, 'ports[0]', with.image]", "protect: true"):
        text = f"{RESOURCES}  web: {{type: docker_container, lifecycle: {{{rule}}}}}\n"
        assert not read(text)[1], rule


def test_two_providers_may_have_a_type_of_the_same_name():
    other = Offer({"docker_image": TypeShape(Record({"tag": Field(Text())}))}, Record({}))
    fork = "  fork: {source: acme/docker}\nresources:\n"
    text = f"""{HEAD}{fork}  a: {{type: docker_image, provider: fork, with: {{tag: x}}}}
  b: {{type: docker_image, with: {{name: x}}}}
"""
    assert not read(text, {"docker": DOCKER, "fork": other})[1]


def test_of_a_provider_that_nobody_knows_anything_goes_and_the_rest_is_checked():
    text = f"""{RESOURCES}  web: {{type: docker_x, with: {{a: 1}}}}
  b: {{type: service, with: {{commnd: [x]}}}}
"""
    assert read(text, {})[1] == [("E1203", 6, 29)]


@pytest.mark.parametrize("at", [None, Span("stack.yaml", 3, 20, 3, 30)])
def test_why_nothing_is_known_is_said_at_the_entry(at):
    unknown = {"docker": Problem("W1428", "not found", at=at)}
    stack, places, _ = read(f"{RESOURCES}  web: {{type: docker_x}}\n", unknown)
    assert places == [("W1428", 3, 20 if at else 3)]
    assert stack is not None
    assert read(RESOURCES, {"docker": Problem("E3040", "not found")})[0] is None


def test_what_is_deprecated_is_said_once_and_counted():
    going = Offer({"docker_image": TypeShape(Going())}, Record({}))
    used = "".join(f"  r{number}: {{type: docker_image, with: {{}}}}\n" for number in range(3))
    stack, places, (problem,) = read(f"{RESOURCES}{used}", {"docker": going})
    assert stack is not None
    assert places == [("W1427", 5, 28)]
    assert problem.help == ("and so it is at 2 more places",)
    _, _, (problem,) = read(f"{RESOURCES}  r: {{type: docker_image, with: {{}}}}\n", {"docker": going})
    assert problem.help == ()


def test_a_provider_that_is_not_declared_is_one_mistake():
    text = f"{RESOURCES}  web: {{type: docker_image, provider: dokcer, with: {{x: 1}}}}\n"
    assert read(text)[1] == [("E1423", 5, 39)]


@pytest.mark.parametrize("name", ["service", "stack"])
def test_a_provider_may_not_have_the_name_of_a_type_of_ours(name):
    _, places, (problem,) = read(f"stack: a\nproviders:\n  {name}: {{source: a/{name}}}\n", {})
    assert places == [("E1424", 3, 3)]
    assert f"provider: {name}-1" in problem.help[0]


def test_the_configuration_of_a_provider_is_checked():
    text = f"{HEAD[:-2]}, with: {{hots: a, host: 1}}}}\n"
    assert read(text)[1] == [("E1203", 3, 64), ("E1201", 3, 79)]
    assert not read(text, {})[1]


def test_the_schema_for_editors_has_the_types_of_providers():
    def fits(resource, provided):
        schema = stack_schema({"service": CONTEXT.types["service"]}, provided)
        stack = {"stack": "a", "resources": {"web": resource}}
        return SCHEMAS.violation(json.loads(json.dumps(schema)), stack) is None

    here = Span("stack.yaml", 1, 1, 1, 2)
    known, unknown = Provided({"docker": here}, {"docker": DOCKER}), Provided({"docker": here}, {})
    right = {"type": "docker_container", "with": {"ports": [80]}}
    assert fits(right, known)
    assert not fits({"type": "docker_container", "with": {"prots": [80]}}, known)
    assert not fits({"type": "docker_x"}, known)
    assert fits({"type": "docker_x"}, unknown)
    assert not fits(right, Provided())


def test_the_schema_for_editors_has_what_is_looked_up_opened_and_called():
    here = Span("stack.yaml", 1, 1, 1, 2)

    def fits(resource, offers):
        schema = stack_schema({}, Provided(dict.fromkeys(("docker", "other"), here), offers))
        stack = {"stack": "a", "resources": {"web": resource}}
        return SCHEMAS.violation(json.loads(json.dumps(schema)), stack) is None

    whole = {**LOOKING, "other": replace(DOCKER, looks={"read": {}, "open": {}, "call": {}})}
    for entry in ({"read": "docker_network"}, {"open": "docker_token"}, {"call": "docker::parse"}):
        assert fits({**entry, "with": {"key": "x"}}, whole)
        assert not fits({**entry, "with": {"kye": "x"}}, whole)
        assert not fits(entry, whole)
        assert fits({**entry, "with": {"kye": "x"}}, {"docker": DOCKER})
    # What nobody has is wrong where all is known; a function has another name, too.
    assert not fits({"read": "other_network"}, whole)
    assert fits({"read": "other_network"}, LOOKING)
    assert fits({"call": "provider::docker::parse"}, whole)


def test_the_schema_for_editors_has_the_configurations_of_providers():
    here = Span("stack.yaml", 1, 1, 1, 2)
    schema = stack_schema({}, Provided({"docker": here}, {"docker": DOCKER}))

    def fits(**entry):
        stack = {"stack": "a", "providers": {"docker": {"source": "a/docker", **entry}}}
        return SCHEMAS.violation(json.loads(json.dumps(schema)), stack) is None

    assert fits(**{"with": {"host": "a"}, "parallel": 2})
    assert fits(**{"with": {"host": "${ 1 }"}})
    assert not fits(**{"with": {"hots": "a"}})
    assert not fits(version=1)
