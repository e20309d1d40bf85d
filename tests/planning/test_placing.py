"""Where the problems of a provider are shown: at the property that is meant, or at its own entry."""

import pytest

from dirigent.model.problem import Problem
from dirigent.model.resource import Resource
from dirigent.model.source import Span
from dirigent.model.stack import ProviderSetup
from dirigent.planning.values.placing import placed


def at(line):
    return Span("stack.yaml", line, 1, line, 2)


SPANS = {
    "type": at(2),
    "with": at(3),
    "with.name": at(4),
    "with.type": at(5),
    "with.port": at(6),
    "with.port.number": at(7),
    "with.rule": at(8),
    "with.rule[0]": at(9),
    "with.rule[0].path": at(10),
}
BOX = Resource("box", "fixture_box", {}, span=at(1), spans=SPANS, provider="fixture")
SETUPS = {"fixture": ProviderSetup("fixture", "a/b/fixture", span=at(20), spans={"region": at(21)})}


def line_of(problem, resource=BOX):
    (found,) = placed([problem], resource, SETUPS)
    assert found.label == ""
    return found.at.line


@pytest.mark.parametrize(
    ("label", "line"),
    [
        ("name", 4),
        ("type", 5),
        ("port[0].number", 7),
        ("port[0].other", 6),
        ("rule[0].path", 10),
        ("rule[0].path.deeper", 10),
        ("rule[1].path", 8),
        ("unknown", 1),
        ("", 1),
    ],
)
def test_a_path_is_shown_at_the_nearest_thing_that_was_written(label, line):
    assert line_of(Problem("E3013", "wrong", label=label)) == line


@pytest.mark.parametrize(
    ("message", "line"),
    [
        ("Only dir and lvm are supported values for 'name'", 4),
        ('"type": required field is not set', 5),
        ("invalid or unknown key: name", 4),
        ("`name` conflicts with `rule`", 1),
        ("the name is wrong", 1),
        ("expected 'other' to be set", 1),
    ],
)
def test_without_a_path_the_only_property_that_the_words_name_is_meant(message, line):
    assert line_of(Problem("E3013", message)) == line


@pytest.mark.parametrize(
    ("code", "label", "line"), [("E3011", "region", 21), ("E3011", "name", 20), ("E3010", "", 20)]
)
def test_what_is_wrong_with_a_provider_is_shown_at_its_entry(code, label, line):
    assert line_of(Problem(code, "wrong", label=label)) == line


def test_a_provider_that_is_not_declared_has_no_entry():
    assert line_of(Problem("E3010", "wrong"), Resource("a", "b_c", {}, span=at(1), provider="gone")) == 1


def test_a_place_that_is_known_stays():
    assert placed([Problem("E3013", "wrong", at(30), "kept")], BOX, SETUPS)[0].at == at(30)
