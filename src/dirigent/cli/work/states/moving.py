"""The work of `state import` and `state export`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Final, Protocol, cast

from dirigent.app.conducting import conducting
from dirigent.app.planning import planning
from dirigent.app.states import ancestry, exchanging, files
from dirigent.app.states.ancestry import Ancestry
from dirigent.app.states.requests import Export, Import, Target, Wanted
from dirigent.cli.exits import Exit
from dirigent.cli.given import Options
from dirigent.cli.output import note, say, say_json
from dirigent.cli.session import Session, around, opened
from dirigent.cli.waiting import wait_for
from dirigent.cli.work.change import carried_out, finish_earlier
from dirigent.model.problem import refuse
from dirigent.model.resource import ResourceRow
from dirigent.model.stack import Stack
from dirigent.ports import Shelf
from dirigent.ports.resources import Managing
from dirigent.service.plans import Planner
from dirigent.service.resources import states

STATE: Final = "terraform.tfstate"


class _Exchange(Protocol):
    """What `dirigent.app.states.exchange` offers, which needs the packages of providers."""

    @property
    def import_from(
        self,
    ) -> Callable[[bytes, Stack, Planner, Wanted], Awaitable[Import]]:
        """Return what takes a state."""
        ...

    @property
    def export_to(
        self,
    ) -> Callable[
        [Sequence[ResourceRow], Stack, Mapping[str, Managing], Ancestry | None, Target], Awaitable[Export]
    ]:
        """Return what gives one."""
        ...


def taken(options: Options) -> int:
    """Import a state: a plan that only writes rows, shown, approved and carried out as any other."""
    session = opened(options)
    return wait_for(_taken(session, files.read(options.text("file")), options))


async def _taken(session: Session, content: bytes, options: Options) -> int:
    stack, settings = session.stack, session.surrounding.settings
    wanted = Wanted(options.many("names"), options.flag("undeclared"))
    async with conducting(session.surrounding) as desk:
        await finish_earlier(desk, session.surrounding, options)
        found = await _exchange().import_from(content, stack, desk.planner, wanted)
        made = await states.adoption(
            desk.planner, stack, session.inputs, found.rows, replacing=options.flag("replacing")
        )
        _tell_left(found)
        code = await carried_out(desk, session.surrounding, made, options)
        if await _stands(desk.shelf, found.rows):
            ancestry.record(settings.lineage, found.ancestry)
    return code


async def _stands(shelf: Shelf, rows: Sequence[ResourceRow]) -> bool:
    """Return whether all that was to be imported is here: somebody may have said no, or stopped it."""
    here = {str(row.address) for row in await shelf.rows()}
    return all(row.address in here for row in rows)


def _tell_left(found: Import) -> None:
    for count, what in ((found.data, "data source"), (found.outputs, "output")):
        if count:
            note(f"left out: {count} {what}{'s' if count > 1 else ''}, which the stack says by expressions")


def given(options: Options) -> int:
    """Export what is managed as a state."""
    return wait_for(_given(options))


async def _given(options: Options) -> int:
    surrounding = around(options)
    stack, settings = surrounding.stack, surrounding.settings
    if stack is None:
        raise refuse(
            "E7001",
            "without a stack file nobody knows the providers of what is managed",
            "name the file with `-s FILE`, or start in the folder of a `stack.yaml`",
        )
    path = options.text("file") or str(Path(options.text("directory") or ".") / STATE)
    if path == files.STANDARD and options.as_json:
        raise refuse("E7006", "`--json` and a state on standard output exclude each other", "name a file")
    target = Target(
        files.existing(path), options.text("registry"), options.many("names"), options.flag("replacing")
    )
    async with planning(surrounding) as board:
        rows = await board.shelf.rows()
        known = ancestry.ancestry(settings.lineage)
        found = await _exchange().export_to(rows, stack, board.planner.providers, known, target)
    if found.text and path == files.STANDARD:
        say(found.text.rstrip("\n"))
    elif found.text:
        files.write(path, found.text)
    ancestry.record(settings.lineage, found.ancestry)
    _tell(found, path, options)
    return Exit.DONE


def _tell(found: Export, path: str, options: Options) -> None:
    if options.as_json:
        say_json(
            {
                "file": path,
                "lineage": found.ancestry.lineage,
                "serial": found.ancestry.serial,
                "resources": found.resources,
                "leftOut": dict(found.left_out),
            }
        )
    elif not found.text:
        note(f"`{path}` says so already: serial {found.ancestry.serial}")
    elif path != files.STANDARD:
        say(f"wrote {path}: {found.resources} instances, serial {found.ancestry.serial}")
    for kind, count in found.left_out.items():
        note(f"left out: {count} of the type `{kind}`, which only Dirigent knows")
    if found.resources and found.text:
        note("warning: the state holds every sensitive value in clear, as Terraform needs it")


def _exchange() -> _Exchange:
    return cast("_Exchange", exchanging())
