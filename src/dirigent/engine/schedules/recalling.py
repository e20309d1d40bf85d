"""What a turn of a schedule had done when the engine died: it is made again, and knows of it then.

A turn may be repeated, so it may run ahead of the journal: of one that a crash took away nothing tells but
the run that it began. Without this the next one would choose among the times that are due by then, and not
see that the run before is open.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from dirigent.engine.schedules.state import State
from dirigent.lang.schedule.calendar import run_of
from dirigent.model.ids import RunId
from dirigent.model.run.effect import Order
from dirigent.model.run.journal import Intended
from dirigent.model.run.schedule import Schedule
from dirigent.ports import Journal, Shelf


async def recalled(
    order: Order,
    wanted: tuple[Schedule, str, State],
    due: Sequence[float],
    stores: tuple[Journal, Shelf],
) -> State:
    """Return the state of a schedule (its rules, name, state) with what was done of the times in `due`."""
    schedule, name, state = wanted
    journal, shelf = stores
    queued = schedule.overlap == "queue"
    for number in reversed(range(len(due))):
        run = run_of(name, due[number])
        found = await shelf.run(run)
        if found is not None:
            passed = state.considered_until(due[number], missed=number)
            return passed.begun(due[number], run, found.created_at if queued else 0.0)
    if not (queued and order.doubtful and state.last):
        return state
    began = [fact.at for fact in await journal.read(order.run) if _begins(fact, order)]
    last = await shelf.run(RunId(state.last))
    if began and last is not None and (last.ended_at is None or last.ended_at > began[-1]):
        # It was waiting: what came due meanwhile was not missed.
        return replace(state, blocked=max(state.blocked, began[-1], last.ended_at or 0.0))
    return state


def _begins(fact: object, order: Order) -> bool:
    return isinstance(fact, Intended) and fact.position == order.position
