"""Run again what was run: the same definition and the same input, as a run of its own."""

from __future__ import annotations

from dataclasses import replace

from dirigent.model.ids import RunId
from dirigent.model.problem import refuse
from dirigent.model.run.journal import Created
from dirigent.model.run.origin import Origin
from dirigent.model.run.start import start_of
from dirigent.service.finding import find
from dirigent.service.runs import Driven, Wanted, name_run


async def rerun(desk: Driven, wanted: str, name: str, reason: str, by: str) -> RunId:
    """Start a run with the definition and the input of another one, whatever became of that; return its id.

    It waits in the same queue as that one, if that waited in one. Its journal says of which it is, who asked
    and why.

    Raises:
        Refusal: E4174 for an apply; what the start of any run raises.
    """
    found = await find(desk.shelf, wanted)
    if found.kind == "apply":
        raise refuse(
            "E4174",
            f"run `{found.id}` is an apply, whose plan may be out of date",
            "plan and apply what is missing now: `dirigent up`",
        )
    program = await desk.journal.definition(found.definition)
    first = (await desk.journal.read(found.id))[0]
    if not isinstance(first, Created):
        raise TypeError(found.id)
    ticket = replace(first.ticket, dedupe="", not_before=0.0) if first.ticket is not None else None
    checked = Wanted(program, first.input, first.metadata).start(RunId(name) if name else None, ticket)
    again = replace(
        start_of(checked.id if name else name_run(program.name), program, first),
        parent=None,
        depth=0,
        ticket=ticket,
        origin=Origin("rerun", found.id, by=by, reason=reason),
    )
    return await desk.conductor.start(again)
