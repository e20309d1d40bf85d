"""The work of `query`: what a provider knows of a type, and what of it is managed."""

from __future__ import annotations

import asyncio
from pathlib import Path

from dirigent.app.planning import planning
from dirigent.cli.answer import Json
from dirigent.cli.exits import Exit
from dirigent.cli.given import Options
from dirigent.cli.output import say, say_json
from dirigent.cli.session import Session, opened, pairs
from dirigent.cli.text.terminal import columns, padded, shown
from dirigent.cli.waiting import wait_for
from dirigent.model.problem import refuse
from dirigent.ports.importing import Found, Inventory
from dirigent.service.documents import value_of_text
from dirigent.service.resources.inventories import Query, inventory, written


def query(options: Options) -> int:
    """List what there is."""
    return wait_for(_query(opened(options), options))


async def _query(session: Session, options: Options) -> int:
    wanted = {name: value_of_text(text, "--with") for name, text in pairs(options.many("wanted")).items()}
    most = int(options.number("limit") or 1)
    asked = Query(options.text("type_name"), options.text("provider"), tuple(wanted.items()), most)
    async with planning(session.surrounding) as board:
        found = await inventory(board.planner, session.stack, session.inputs, asked)
    file = options.text("write")
    text = written(asked, found.found, tuple(session.stack.resources)) if file else ""
    if text:
        await asyncio.to_thread(_write, file, text)
    if options.as_json:
        say_json({"objects": [_json(each) for each in found.found], "whole": found.whole})
        return Exit.DONE
    say(_text(found))
    if text:
        say(f"what is not managed is in {file}: put it into the stack file, and look at `dirigent plan`")
    return Exit.DONE


def _write(file: str, text: str) -> None:
    try:
        with Path(file).open("x", encoding="utf-8") as out:
            out.write(text)
    except OSError as error:
        raise refuse(
            "E7034", f"`{file}` cannot be written: {error.strerror}", "name a file that is not there"
        ) from None


def _json(each: Found) -> Json:
    return {"id": each.id, "name": each.name, "managed": each.address or None}


def _text(found: Inventory) -> str:
    if not found.found:
        return "there is nothing" if found.whole else "nothing could be told of what there is"
    rows = [
        ("MANAGED AS", "NAME", "ID"),
        *((e.address or "-", shown(e.name), shown(e.id)) for e in found.found),
    ]
    widths = [max(columns(row[at]) for row in rows) for at in range(2)]
    lines = [f"{padded(row[0], widths[0])}  {padded(row[1], widths[1])}  {row[2]}".rstrip() for row in rows]
    more = [] if found.whole else [f"there is more than these {len(found.found)}: narrow it with `--with`"]
    return "\n".join([*lines, *more])
