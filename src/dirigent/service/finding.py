"""Find what a user means: a run by a part of its id, the one that is open, a service by its address."""

from __future__ import annotations

from dirigent.model import limits
from dirigent.model.ids import RunId
from dirigent.model.problem import refuse
from dirigent.model.run.schedule import KIND
from dirigent.model.run.summary import RunSummary
from dirigent.ports import Shelf


async def find(shelf: Shelf, text: str) -> RunSummary:
    """Return the run that a user means: its id, or the beginning of exactly one id, or of a name's newest.

    Raises:
        Refusal: E4004 when there is none, E4011 when there are several.
    """
    exact = await shelf.run(RunId(text))
    if exact is not None:
        return exact
    matching = [run for run in await shelf.runs(limit=10_000) if run.id.startswith(text)]
    if not matching:
        raise refuse("E4004", f"there is no run `{text}`", "list the runs with `dirigent ps --all`")
    if len(matching) > 1 and not any(run.name == text for run in matching):
        shown = ", ".join(run.id for run in matching[:5])
        raise refuse("E4011", f"`{text}` could be {len(matching)} runs: {shown}", "give more letters")
    return matching[0]


async def only_open(shelf: Shelf) -> RunSummary:
    """Return the one run that is not over.

    Children are left out, which go on with their parents, and schedules, which have no end.

    Raises:
        Refusal: E4004 when there is none, E4011 when there are several.
    """
    found = [
        run
        for run in await shelf.runs(only_open=True, limit=limits.RUNS_OPEN)
        if run.parent is None and run.kind != KIND
    ]
    if not found:
        raise refuse("E4004", "no run is open", "list the runs with `dirigent ps --all`")
    if len(found) > 1:
        shown = ", ".join(f"`{run.id}`" for run in found[:5])
        raise refuse("E4011", f"{len(found)} runs are open: {shown}", "name one: `dirigent resume RUN`")
    return found[0]


async def service_named(shelf: Shelf, address: str) -> str:
    """Return the address of a service that stands here.

    Raises:
        Refusal: E4014 when there is none of that name.
    """
    services = [str(row.address) for row in await shelf.rows() if row.type == "service"]
    if address not in services:
        there = ", ".join(f"`{each}`" for each in services) or "none"
        raise refuse("E4014", f"there is no service `{address}`", f"there are: {there}")
    return address
