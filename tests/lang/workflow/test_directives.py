"""Which tasks can be reached: every way to leave a task, and chains of them."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dirigent.lang.workflow.document import read_naked
from lang.workflow.languages import Brackets

HEAD = "document: {dsl: 1.0.3, namespace: tests, name: case, version: 1.0.0}\ndo:\n"
SET = "set: {x: 1}"
RAISE = "raise: {error: {type: 'https://e.example/x', status: 400}}"


def unreached(*tasks):
    text = HEAD + "".join(f"  - {name}: {{{body}}}\n" for name, body in tasks)
    _, problems = read_naked(text, "flow.yaml", Brackets())
    assert {problem.code for problem in problems} <= {"W1302"}, problems
    return [text.splitlines()[problem.at.line - 1].split(":")[0].strip(" -") for problem in problems]


def flow(first, then="continue"):
    """Return a task of each kind that ends with the directive."""
    return {
        "plain": f"{SET}, then: {then}",
        "skipped": f"if: .x, {SET}, then: {then}",
        "block": f"do: [{{a: {{{SET}}}}}], then: {then}",
        "handled": f"try: [], catch: {{}}, then: {then}",
    }[first]


@pytest.mark.parametrize("kind", ["plain", "block", "handled"])
def test_a_task_leads_to_the_next_unless_it_says_otherwise(kind):
    assert unreached(("a", flow(kind)), ("b", SET)) == []
    assert unreached(("a", flow(kind, "end")), ("b", SET)) == ["b"]
    assert unreached(("a", flow(kind, "exit")), ("b", SET)) == ["b"]
    assert unreached(("a", flow(kind, "c")), ("b", SET), ("c", SET)) == ["b"]
    assert unreached(("a", flow(kind, "a")), ("b", SET)) == ["b"]


def test_a_task_that_may_be_skipped_leads_to_the_next_wherever_it_goes_itself():
    for then in ("continue", "end", "exit", "c", "a"):
        rest = [("b", f"{SET}, then: end"), ("c", SET)]
        assert unreached(("a", flow("skipped", then)), *rest) == ([] if then == "c" else ["c"])


def test_an_error_leads_nowhere_unless_it_may_be_skipped():
    assert unreached(("a", RAISE), ("b", SET)) == ["b"]
    assert unreached(("a", f"if: .x, {RAISE}"), ("b", SET)) == []
    assert unreached(("a", f"if: .x, {RAISE}, then: end"), ("b", SET)) == []


def test_a_switch_leads_to_its_cases_and_to_its_own_end_without_a_default():
    cases = "switch: [{one: {when: .x, then: c}}, {two: {when: .y, then: end}}]"
    default = "switch: [{one: {when: .x, then: c}}, {rest: {then: end}}]"
    rest = [("b", SET), ("c", SET)]
    assert unreached(("a", cases), *rest) == []
    assert unreached(("a", f"{cases}, then: exit"), *rest) == ["b"]
    assert unreached(("a", default), *rest) == ["b"]
    assert unreached(("a", f"if: .z, {default}"), *rest) == []


def test_a_catch_leads_where_it_says_beside_the_task():
    caught = "try: [], catch: {then: c}, then: end"
    assert unreached(("a", caught), ("b", SET), ("c", SET)) == ["b"]


def test_only_the_first_of_several_unreached_tasks_is_told():
    assert unreached(("a", f"{SET}, then: end"), ("b", SET), ("c", SET), ("d", SET)) == ["b"]
    assert unreached(("a", f"{SET}, then: end"), ("b", f"{SET}, then: end"), ("c", SET)) == ["b", "c"]


@settings(derandomize=True, deadline=None, max_examples=60)
@given(st.lists(st.integers(-1, 6), min_size=1, max_size=7))
def test_what_is_told_is_what_a_walk_never_visits(targets):
    """Each task has one way out, so walking from the first visits all that can be reached."""
    size = len(targets)
    names = [f"t{number}" for number in range(size)]
    thens = [names[target] if 0 <= target < size else "continue" for target in targets]
    told = unreached(*[(name, f"{SET}, then: {then}") for name, then in zip(names, thens, strict=True)])
    visited, number = set(), 0
    while number < size and number not in visited:
        visited.add(number)
        number = number + 1 if thens[number] == "continue" else names.index(thens[number])
    lost = [name for number, name in enumerate(names) if number not in visited]
    assert set(told) <= set(lost)
    assert told[:1] == lost[:1]
