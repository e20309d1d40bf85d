"""Edges, cycles, waves, repetition."""

from __future__ import annotations

import pytest

from dirigent.model import limits
from dirigent.model.problem import Refusal
from dirigent.model.values import Unknown
from dirigent.planning import graph
from dirigent.planning.expand import expand
from planning.plain_language import PlainLanguage
from planning.world import refer, resource, stack


def edges(*resources):
    return graph.edges_of(stack(*resources).resources, PlainLanguage())


def test_references_and_needs_make_the_edges_in_the_order_of_mention():
    assert edges(
        resource("web", needs=["net"], url=refer("$resources.db.url + $resources.net.id")),
        resource("db", count=refer("$resources.net.n")),
        resource("net", each=refer("$inputs.zones")),
    ) == {"web": ("net", "db"), "db": ("net",), "net": ()}


def test_every_wrong_reference_is_reported_with_a_suggestion():
    with pytest.raises(Refusal) as caught:
        edges(
            resource(
                "web", needs=["dv"], a=refer("$resources.dbs.url"), b=refer("$resources"), c=refer("f(")
            ),
            resource("db"),
        )
    found = {problem.code: problem for problem in caught.value.problems}
    assert sorted(found) == ["E2002", "E2003", "E2004"]
    assert len(caught.value.problems) == 4
    assert "did you mean `db`?" in found["E2002"].help


@pytest.mark.parametrize(
    ("needs", "shown"),
    [
        ({"a": ["a"]}, "`a` needs `a`"),
        ({"a": ["b"], "b": ["c"], "c": ["b"]}, "`b` needs `c` needs `b`"),
        ({"x": [], "c": ["a"], "a": ["b", "x"], "b": ["c"]}, "`c` needs `a` needs `b` needs `c`"),
    ],
)
def test_a_cycle_is_named(needs, shown):
    resources = {name: resource(name, needs=below) for name, below in needs.items()}
    with pytest.raises(Refusal) as caught:
        graph.refuse_cycle(resources, needs)
    assert caught.value.problems[0].code == "E2001"
    assert caught.value.problems[0].message.endswith(shown)


def test_the_order_is_as_declared_where_needs_leave_it_open():
    assert graph.ordered({"d": (), "a": ("b",), "c": (), "b": ()}) == ["d", "c", "b", "a"]


def test_waves_hold_only_what_needs_earlier_waves():
    assert graph.waves({"d": ("a",), "a": ("b",), "c": (), "b": ()}) == [["c", "b"], ["a"], ["d"]]


def test_ten_thousand_in_a_chain_and_in_a_cycle():
    chain = {str(n): (str(n + 1),) if n < 9_999 else () for n in range(10_000)}
    assert graph.ordered(chain) == [str(n) for n in reversed(range(10_000))]
    assert len(graph.cycle_in({**chain, "9999": ("0",)})) == 10_000


def addresses(repeated, **how):
    return [(str(item.address), item.each) for item in expand(resource("web", **how), repeated)]


def test_count_and_each_name_their_instances():
    assert addresses(None) == [("web", None)]
    assert addresses(2.0, count=2) == [
        ("web[0]", {"key": 0, "value": 0}),
        ("web[1]", {"key": 1, "value": 1}),
    ]
    assert addresses(0, count=0) == []
    assert addresses(["eu", 7], each=[]) == [
        ('web["eu"]', {"key": "eu", "value": "eu"}),
        ('web["7"]', {"key": "7", "value": 7}),
    ]
    assert addresses({"eu": {"n": 1}}, each={}) == [('web["eu"]', {"key": "eu", "value": {"n": 1}})]


@pytest.mark.parametrize(
    ("how", "value", "code"),
    [
        ("count", -1, "E2005"),
        ("count", 1.5, "E2005"),
        ("count", True, "E2005"),
        ("count", "3", "E2005"),
        ("count", None, "E2005"),
        ("count", Unknown(("db",)), "E2007"),
        ("count", limits.GRAPH_TASKS + 1, "E2009"),
        ("each", "eu", "E2006"),
        ("each", None, "E2006"),
        ("each", ["a", "a"], "E2006"),
        ("each", ["1", 1], "E2006"),
        ("each", [None], "E2006"),
        ("each", [True], "E2006"),
        ("each", [{"a": 1}], "E2006"),
        ("each", {"": 1}, "E2006"),
        ("each", {'a"b': 1}, "E2006"),
        ("each", {"a\nb": 1}, "E2006"),
        ("each", {"a": Unknown()}, "E2007"),
        ("each", ["x" * 201], "E2006"),
    ],
)
def test_a_repetition_that_cannot_be_is_refused(how, value, code):
    with pytest.raises(Refusal) as caught:
        expand(resource("web", **{how: 1}), value)
    assert [problem.code for problem in caught.value.problems] == [code]
    assert caught.value.problems[0].help


def test_count_and_each_together_are_refused():
    with pytest.raises(Refusal):
        expand(resource("web", count=1, each=["a"]), 1)
