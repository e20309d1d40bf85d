"""The work of `state list`, `state show` and `state history`: they look, beside whatever engine runs."""

from __future__ import annotations

import json
from datetime import UTC, datetime

from dirigent.app.looking import looking
from dirigent.cli import wire
from dirigent.cli.answer import Json
from dirigent.cli.exits import Exit
from dirigent.cli.given import Options
from dirigent.cli.output import say, say_json
from dirigent.cli.place import place
from dirigent.cli.text.plans import difference_line
from dirigent.cli.text.runs import rows_text
from dirigent.cli.text.terminal import Terminal, columns, out, padded
from dirigent.cli.text.terminal import shown as visible
from dirigent.cli.waiting import wait_for
from dirigent.model.resource import ResourceRow
from dirigent.service.resources import states
from dirigent.service.resources.states import Revision


def listed(options: Options) -> int:
    """List every instance."""
    return wait_for(_listed(options))


async def _listed(options: Options) -> int:
    async with looking(place(options).settings) as reader:
        rows = await reader.shelf.rows()
    if options.as_json:
        say_json({"resources": [wire.row(row) for row in rows]})
    else:
        say(rows_text(rows, out()))
    return Exit.DONE


def shown(options: Options) -> int:
    """Show one instance."""
    return wait_for(_shown(options))


async def _shown(options: Options) -> int:
    async with looking(place(options).settings) as reader:
        row = await states.row_named(reader.shelf, options.text("address"))
    if options.as_json:
        say_json({"resource": wire.row(row), "provider": row.provider, "config": wire.value(row.config)})
    else:
        say(row_text(row, out()))
    return Exit.DONE


def history(options: Options) -> int:
    """Show the revisions of one instance."""
    return wait_for(_history(options))


async def _history(options: Options) -> int:
    address = options.text("address")
    async with looking(place(options).settings) as reader:
        found = await states.revisions(reader.shelf, address)
    if options.as_json:
        say_json({"address": address, "revisions": [_revision(each) for each in found]})
    else:
        say(history_text(found, out()))
    return Exit.DONE


def _revision(each: Revision) -> Json:
    return {
        "number": each.number,
        "at": each.at,
        "run": each.run,
        "what": each.what,
        "differences": [wire.difference(found) for found in each.differences],
        "attributes": None if each.row is None else wire.value(each.row.attributes),
    }


def row_text(row: ResourceRow, terminal: Terminal) -> str:
    """Return one instance, an attribute a line."""
    marks = [word for word, holds in (("tainted", row.tainted), ("protected", row.protect)) if holds]
    by = f" of `{row.provider}`" if row.provider else ""
    lines = [f"{terminal.paint(row.address, 'bold')}  {row.type}{by}  {' '.join(marks)}".rstrip()]
    width = max((columns(visible(name)) for name in row.attributes), default=0)
    for name, value in row.attributes.items():
        text = visible(json.dumps(wire.value(value), ensure_ascii=False))
        lines.append(f"  {padded(visible(name), width)}  {text}")
    if row.needs:
        lines.append(f"  needs {', '.join(row.needs)}")
    return "\n".join(lines)


def history_text(found: list[Revision], terminal: Terminal) -> str:
    """Return revisions, the oldest first, each with what it changed."""
    lines: list[str] = []
    for each in found:
        when = datetime.fromtimestamp(each.at, UTC).strftime("%Y-%m-%d %H:%M:%SZ")
        head = f"{each.number:>3}  {when}  {padded(each.what, 7)}  run {each.run}"
        lines.append(terminal.paint(head, "red") if each.row is None else head)
        width = max((columns(one.path) for one in each.differences), default=0)
        lines += [difference_line(one, width, terminal) for one in each.differences]
    return "\n".join(lines)
