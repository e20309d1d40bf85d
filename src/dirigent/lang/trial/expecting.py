"""The expectations of a test, each with its place."""

from __future__ import annotations

from typing import Final

from dirigent.lang.schema import schema_fault
from dirigent.lang.shape import head_of, shortened
from dirigent.lang.tree import Leaf, Members, Node, plain
from dirigent.lang.trial.answers import matcher, wanted_error
from dirigent.lang.trial.reading import (
    Reading,
    all_of,
    expression,
    items_of,
    moment,
    seconds,
    text_of,
    whole_of,
)
from dirigent.lang.trial.trial import (
    Ending,
    Expectation,
    Holds,
    Lasting,
    Ordered,
    Ran,
    Requested,
    Starts,
    Tells,
    Wanted,
)
from dirigent.model.source import Span

# What the virtual clock may differ by from a sum of fractions.
_GRAIN: Final = 1e-6


def ending(reading: Reading, node: Members, at: Span) -> Ending:
    """Return how the run is expected to end; report a schema that is none (E6005)."""
    found = node.members.get("error")
    error = None if found is None else Wanted(wanted_error(reading, found.node), found.key_span)
    written = _wanted(node, "phase")
    implied = "completed" if error is None else "faulted"
    phase = written or Wanted(implied, at if error is None else error.span)
    return Ending(
        phase,
        _wanted(node, "output"),
        _wanted(node, "outputContains"),
        error,
        _schema(reading, node),
        _wanted(node, "context"),
        _wanted(node, "contextContains"),
    )


def _schema(reading: Reading, node: Members) -> Wanted | None:
    found = _wanted(node, "outputSchema")
    fault = None if found is None else schema_fault(found.value)
    if found is not None and fault is not None:
        reading.complain("E6005", f"`outputSchema` is no JSON Schema: {fault}", found.span, "not a schema")
    return found


def _wanted(node: Members, name: str) -> Wanted | None:
    found = node.members.get(name)
    return None if found is None else Wanted(plain(found.node), found.key_span, found.node.span)


def expectations(reading: Reading, node: Members) -> list[Expectation]:
    """Return all else that is expected, in the order in which it is looked at."""
    found: list[Expectation] = []
    ran = node.get("ran")
    if isinstance(ran, Members):
        found += [
            Ran(reading.task(each.key, each.key_span), whole_of(each.node), each.key_span) for each in ran
        ]
    else:
        found += [Ran(reading.task(text_of(each), each.span), None, each.span) for each in all_of(ran)]
    spared = all_of(node.get("notRan"))
    found += [Ran(reading.task(text_of(each), each.span), 0, each.span) for each in spared]
    starts = node.members.get("starts")
    if starts is not None:
        found.append(_starts(reading, starts.node, starts.key_span))
    order = node.members.get("order")
    if order is not None:
        names = tuple(reading.task(text_of(each), each.span) for each in all_of(order.node))
        found.append(Ordered(names, order.key_span))
    for wanted in items_of(node.get("requests")):
        found.append(Requested(matcher(reading, wanted), whole_of(wanted.get("times")), head_of(wanted)))
    found += [Tells(plain(told), head_of(told)) for told in items_of(node.get("events"))]
    lasting = node.members.get("elapsed")
    if lasting is not None:
        found.append(_lasting(reading, lasting.node, lasting.key_span))
    holds = node.get("check")
    for text in (holds,) if isinstance(holds, Leaf) else all_of(holds):
        found.append(Holds(expression(reading, text), text.span))
    return found


def _starts(reading: Reading, node: Node, at: Span) -> Starts:
    count = whole_of(node)
    if count is not None:
        return Starts(count, (), (), at)
    times: list[float] = []
    phases: list[str | None] = []
    for each in all_of(node):
        time = each.get("at") if isinstance(each, Members) else each
        if time is not None:
            times.append(moment(reading, time, 0.0))
            phases.append((text_of(each.get("phase")) or None) if isinstance(each, Members) else None)
    return Starts(None, tuple(times), tuple(phases), at)


def _lasting(reading: Reading, node: Node, at: Span) -> Lasting:
    if not isinstance(node, Members) or not {"min", "max"} & node.members.keys():
        exact = seconds(reading, node)
        return Lasting(exact - _GRAIN, exact + _GRAIN, at)
    for each in node:
        if each.key not in ("min", "max"):
            reading.complain(
                "E1203", f"unknown property `{shortened(each.key)}` in `elapsed`", each.key_span, "unknown",
                "known: min, max",
            )  # fmt: skip
    least, most = node.get("min"), node.get("max")
    return Lasting(
        0.0 if least is None else seconds(reading, least) - _GRAIN,
        float("inf") if most is None else seconds(reading, most) + _GRAIN,
        at,
    )
