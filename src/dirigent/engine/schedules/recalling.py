"""What a turn of a schedule had done when the engine died: it may be made again, and knows of it then.

Without this the same turn, made later, would choose another of the times that are due by then, and neither
see that its own run is open nor that it had waited for the one before.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from dirigent.engine.schedules.state import State, paused_at, timely
from dirigent.lang.schedule.calendar import run_of
from dirigent.model.ids import RunId
from dirigent.model.run.effect import Order
from dirigent.model.run.journal import Intended
from dirigent.model.run.schedule import Schedule
from dirigent.ports import Journal, Shelf


async def recalled(
    order: Order,
    wanted: tuple[Schedule, str, State],
    due_at: Callable[[float], Sequence[float]],
    stores: tuple[Journal, Shelf],
) -> State:
    """Return the state of a schedule (its rules, name, state), and in it what this turn did before a crash.

    `due_at` gives the times that were due at a time.
    """
    schedule, name, state = wanted
    journal, shelf = stores
    facts = await journal.read(order.run)
    began = [fact.at for fact in facts if isinstance(fact, Intended) and fact.position == order.position]
    then = began[-1] if began else 0.0
    due = due_at(then)
    if not due:
        return state
    chosen = timely(schedule, name, due, then, state.blocked, paused_at(facts, then))
    queued = schedule.overlap == "queue"
    if chosen.start is not None:
        run = run_of(name, chosen.start)
        found = await shelf.run(run)
        if found is not None:
            passed = state.considered_until(chosen.considered, chosen.missed, chosen.paused)
            return passed.begun(chosen.start, run, found.created_at if queued else 0.0)
    last = await shelf.run(RunId(state.last)) if queued and state.last else None
    if last is not None and (last.ended_at is None or last.ended_at > then):
        # It was waiting: what came due meanwhile was not missed.
        return replace(state, blocked=max(state.blocked, due[-1], last.ended_at or 0.0))
    return state
