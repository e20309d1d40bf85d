"""`listen`: one event after the other, each a fact that the engine found in the log of the store.

An event counts if it arrived after the run began and no listener of the run had taken it when this one
began (register Q18). What the next event must be like is asked anew after each: expressions have become
values by then, so that the engine can judge events without the run.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final

from dirigent.core.evaluate import evaluate, truth
from dirigent.core.events import matching, shape
from dirigent.core.events.noting import correlated, note
from dirigent.core.frame import Frame, ListenState, Stage
from dirigent.core.machine import NOTE, Ask, Faulted, Run, bound_variables
from dirigent.core.nodes.behaviour import Behaviour, passes_on
from dirigent.core.nodes.events import each_event
from dirigent.core.scope import Scope
from dirigent.model import fault as faults
from dirigent.model.events.listening import (
    EventFilter,
    Link,
    Match,
    Sought,
    Strategy,
    Test,
    Want,
    key_of,
)
from dirigent.model.fault import Fault
from dirigent.model.program import CONTINUE, Listen
from dirigent.model.run.command import Hears
from dirigent.model.run.journal import Heard
from dirigent.model.values import Expression, Template, UriTemplate, Value, leaves
from dirigent.ports import Compiled, ExpressionFailed

# Events that arrive at about the same time may be logged in another order than that of their times, and what
# a run emits has the time of its clock, whenever that becomes durable.
OVERLAP_SECONDS: Final = 60.0
EVERYTHING: Final = EventFilter()
# A path that begins at a variable sees nothing of the event: it is a value before there is one.
_OF_VARIABLES: Final = re.compile(r"\$[A-Za-z_]\w*(\.[A-Za-z_]\w*)*", re.ASCII)


def begin(run: Run, frame: Frame) -> None:
    """Find out what is waited for, and want the first event; or go on with the one that was taken."""
    node, state = frame.node, frame.state
    if not isinstance(node, Listen):
        raise TypeError(frame.position)
    if isinstance(state, ListenState):
        _go_on(run, frame, node, state)
        return
    want = _resolved(run, frame, node.to)
    frame.answers.clear()
    for key in _known(run) if node.standing and frame.pointer not in run.ears else ():
        run.heard.setdefault(key, 0)
    frame.state = ListenState(want, run.facts)
    note(run, "waiting", frame)
    correlated(run, "correlation-started", frame, {})
    _ask(run, frame, frame.state)


def takes(run: Run, ask: Ask | None, fact: Heard) -> bool:
    """Return whether an event counts for whoever asks: none is taken twice."""
    state = ask.frame.state if ask is not None and ask.frame is not None else None
    if not isinstance(state, ListenState):
        return False
    key = key_of(fact.event)
    return key not in state.mine and run.heard.get(key, state.began + 1) > state.began


def hear(run: Run, ask: Ask, fact: Heard) -> None:
    """Take an event."""
    frame, state = ask.frame, ask.frame.state if ask.frame is not None else None
    if frame is None or not isinstance(frame.node, Listen) or not isinstance(state, ListenState):
        raise TypeError(fact.position)
    key = key_of(fact.event)
    run.heard.setdefault(key, run.facts)
    state.mine[key] = True
    run.ears[frame.pointer] = (state.want, fact.arrived)
    found = Match(fact.number, fact.keys)
    counts = not matching.closes(state.want, found)
    state.want = matching.narrowed(state.want, found)
    if counts:
        state.item = state.current = _given(frame.node, fact)
        state.stage = Stage.TAKEN
    else:
        state.stage = Stage.UNTIL
    run.agenda.append(frame)


def _given(node: Listen, fact: Heard) -> Value:
    """Return what the listener is given of an event."""
    return (
        {"arrived": fact.arrived, "event": fact.event} if node.standing else shape.read(fact.event, node.read)
    )


def left(run: Run, frame: Frame, child: Frame, output: Value, directive: str) -> None:
    """The body is done with an event; `exit` in it ends the listening."""
    state = _state(frame)
    state.current, state.stage, state.leaving = output, Stage.OUTPUT, directive != CONTINUE
    run.agenda.append(frame)


def _go_on(run: Run, frame: Frame, node: Listen, state: ListenState) -> None:
    """Take the last event through what is done with each, as far as the expression worker lets it."""
    each = node.each
    if state.stage is Stage.TAKEN:
        if each is not None and each.body is not None and each.body.tasks:
            state.stage = Stage.BODY
            body = run.enter_block(frame, each.body, state.taken, state.item, f"[{state.taken}]")
            body.variables = bound_variables(frame, each_event.bound(each, state))
        else:
            state.stage = Stage.OUTPUT
    if state.stage is Stage.OUTPUT:
        if each is not None:
            state.current = each_event.filtered(run, frame, each, state)
        state.stage = Stage.EXPORT
        frame.answers.clear()
    if state.stage is Stage.EXPORT:
        if each is not None and each.export.present:
            each_event.export(run, frame, each, state)
        state.outputs.append(state.current)
        state.taken += 1
        state.stage = Stage.UNTIL
        frame.answers.clear()
    if state.stage is Stage.UNTIL:
        _judge(run, frame, node, state)


def _judge(run: Run, frame: Frame, node: Listen, state: ListenState) -> None:
    """End the listening, or want the next event."""
    over = state.leaving or matching.satisfied(state.want, state.taken)
    if not over and isinstance(node.to.until, Expression) and state.taken:
        outputs: Value = list(state.outputs)
        over = truth(run, frame, "until", node.to.until, outputs)
    frame.answers.clear()
    state.stage = Stage.WAITING
    if over:
        correlated(run, "correlation-completed", frame, dict(state.want.keys))
        run.complete(frame, list(state.outputs))
    else:
        _ask(run, frame, state)


def _ask(run: Run, frame: Frame, state: ListenState) -> None:
    since = _beginning(run, frame)
    # Who listened for the same before has seen all that came until then.
    before = run.ears.get(frame.pointer)
    if before is not None and before[0] == state.want:
        since = max(since, before[1] - OVERLAP_SECONDS)
    run.want(Ask((frame.position, frame.attempt, NOTE), frame, note=Hears(state.want, since)))


def _beginning(run: Run, frame: Frame) -> float:
    """Return from when events count at all."""
    began = run.created.at if run.created else 0.0
    standing = isinstance(frame.node, Listen) and frame.node.standing
    given = run.created.input if standing and run.created else None
    since = given.get("since") if isinstance(given, dict) else None
    return float(since) if isinstance(since, int | float) else began


def _known(run: Run) -> list[str]:
    """Return the events that were taken before this run went on with the listening of another."""
    given = run.created.input if run.created else None
    known = given.get("known") if isinstance(given, dict) else None
    return list(known) if isinstance(known, dict) else []


# -- what is waited for -------------------------------------------------------------------------------


def _resolved(run: Run, frame: Frame, strategy: Strategy) -> Want:
    """Return what a strategy waits for, every expression in it with the variables that it sees."""
    filters = list(_filters(strategy))
    keys: dict[str, Value] = {}
    sought = tuple(_sought(run, frame, each, number, keys) for number, each in enumerate(filters))
    return matching.wanted(strategy, sought, keys)


def _filters(strategy: Strategy) -> Iterator[EventFilter]:
    yield from strategy.filters or (EVERYTHING,)
    if isinstance(strategy.until, Strategy):
        yield from strategy.until.filters or (EVERYTHING,)


def _sought(run: Run, frame: Frame, each: EventFilter, number: int, keys: dict[str, Value]) -> Sought:
    tests = tuple(
        _test(run, frame, name, wanted, f"with-{number}-{name}") for name, wanted in each.attributes.items()
    )
    links = []
    for name, link in each.correlate.items():
        links.append(Link(name, link.source, _seen(run, frame, link.source)))
        if link.expected:
            expected = evaluate(run, frame, f"expect-{number}-{name}", link.expect, frame.input)
            if not matching.equal(keys.setdefault(name, expected), expected):
                words = f"the correlation `{name}` expects two values at once"
                raise Faulted(Fault(faults.CONFIGURATION, 400, "Configuration Error", words))
    return Sought(tests, tuple(links))


def _test(run: Run, frame: Frame, name: str, wanted: Template, slot: str) -> Test:
    if isinstance(wanted, Expression) and _OF_VARIABLES.fullmatch(wanted.text.strip()):
        value = evaluate(run, frame, slot, wanted, frame.input)
        if isinstance(value, str | int | float) and not isinstance(value, bool):
            return Test(name, value, exact=True)
    return Test(name, wanted, variables=_seen(run, frame, wanted))


def _seen(run: Run, frame: Frame, template: Template) -> dict[str, Value]:
    """Return the variables that the expressions of a template see, or that part of them."""
    scope: Mapping[str, Value] = Scope(run, frame, {})
    parts = [_compiled(run, leaf) for leaf in leaves(template)]
    names = sorted({name for compiled in parts for name in compiled.variables if name in scope})
    return {name: _part(scope[name], name, parts) for name in names}


def _compiled(run: Run, leaf: Expression | UriTemplate) -> Compiled:
    try:
        return run.tools.language.compile(leaf.text)
    except ExpressionFailed as failure:
        words = f"{failure} in `{leaf.text}`"
        raise Faulted(Fault(faults.EXPRESSION, 400, "Expression Error", words, span=leaf.span)) from None


def _part(value: Value, name: str, parts: list[Compiled]) -> Value:
    """Return of a variable only the members that expressions take of it, if they take nothing else."""
    members = [member for each in parts for variable, member in each.references if variable == name]
    if not isinstance(value, dict) or any(member is None for member in members):
        return value
    return {member: value[member] for member in members if member is not None and member in value}


def _state(frame: Frame) -> ListenState:
    if not isinstance(frame.state, ListenState):
        raise TypeError(frame.position)
    return frame.state


LISTEN = Behaviour(begin, begin, left, passes_on)
