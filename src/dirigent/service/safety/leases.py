"""Who is changing what: a plan is carried out beside others, unless it would meet one of them.

Law: what is held is what the plans of open applies touch; nothing else says so, and nothing is left behind
when an apply ends. Of two that start at the same instant the store decides, as it begins one.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from dirigent.model.ids import PlanId
from dirigent.model.plan import Plan
from dirigent.model.problem import Refusal, refuse
from dirigent.model.record import dataclass
from dirigent.model.run.journal import Created
from dirigent.model.run.summary import RunSummary
from dirigent.planning.safety.touching import in_conflict, touch_of
from dirigent.ports import Shelf
from dirigent.ports.applies import Accountable, Applies
from dirigent.service.runs import Driven

_SHOWN: Final = 3
_HALTED: Final = frozenset({"held", "suspended"})


@dataclass(frozen=True, slots=True)
class Holder:
    """An apply that is under way, and what it holds of what somebody else wants; `by` is who began it."""

    run: RunSummary
    what: tuple[str, ...]
    by: str = ""


def applies_of(shelf: Shelf) -> Applies:
    """Return what a store knows of applies."""
    if not isinstance(shelf, Accountable):
        raise TypeError(f"{type(shelf).__name__} keeps no account of applies")
    return shelf.applies


async def holders(desk: Driven, wanted: Plan) -> list[Holder]:
    """Return the applies under way that a plan would meet, oldest first."""
    mine = touch_of(wanted.changes, wanted.bridges)
    found: list[Holder] = []
    if not mine.writes:
        return found
    for run in await applies_of(desk.shelf).open_applies():
        theirs = await _plan_of(desk, run)
        # Nobody can say what an apply touches whose plan is gone: so it touches everything.
        met = mine.writes if theirs is None else in_conflict(mine, touch_of(theirs.changes, theirs.bridges))
        if met:
            found.append(Holder(run, met, await _began(desk, run)))
    return found


async def check_free(desk: Driven, wanted: Plan) -> None:
    """Raise `Refusal` (E2042) when an apply that is under way touches what a plan would change or read."""
    for holder in await holders(desk, wanted):
        raise held(holder)


def held(holder: Holder) -> Refusal:
    """Return the refusal (E2042) that says who holds what, and since when."""
    run, names = holder.run, [f"`{address}`" for address in holder.what[:_SHOWN]]
    more = f" and {len(holder.what) - _SHOWN} more" if len(holder.what) > _SHOWN else ""
    since = datetime.fromtimestamp(run.created_at, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    by = f", begun by {holder.by}," if holder.by else ""
    what = f"{', '.join(names)}{more} {'are' if len(holder.what) > 1 else 'is'}"
    state = f" It is {run.phase}: it waits for a person." if run.phase in _HALTED else ""
    return refuse(
        "E2042",
        f"{what} held by run `{run.id}`{by} since {since}.{state}",
        f"wait for it: add `--wait` (it plans anew then); or let it end with `dirigent resume {run.id}`",
        f"or stop it with `dirigent cancel {run.id}`; what it does not touch can be changed meanwhile",
    )


async def _plan_of(desk: Driven, run: RunSummary) -> Plan | None:
    program = await desk.journal.definition(run.definition)
    return await desk.shelf.plan(PlanId(program.version))


async def _began(desk: Driven, run: RunSummary) -> str:
    first = (await desk.journal.read(run.id))[0]
    by = first.metadata.get("by") if isinstance(first, Created) else None
    return by if isinstance(by, str) else ""
