"""The work of `providers list`: what the stack wants, what is locked, and what can be started here."""

from __future__ import annotations

import os
from collections.abc import Sequence

from dirigent.cli.answer import Json, problem_json
from dirigent.cli.exits import Exit
from dirigent.cli.given import Options
from dirigent.cli.output import say, say_json
from dirigent.cli.text.terminal import padded
from dirigent.cli.work.providers.stack import surrounding
from dirigent.model.problem import Problem, Refusal
from dirigent.model.record import dataclass
from dirigent.model.stack import ProviderSetup
from dirigent.providers.tofu.finding.installed import Installed, installed
from dirigent.providers.tofu.finding.lock.reading import locks_of
from dirigent.providers.tofu.finding.places import places_of


@dataclass(frozen=True, slots=True)
class _Row:
    setup: ProviderSetup
    locked: str
    found: Installed | None
    problem: Problem | None


def listed(options: Options) -> int:
    """List the providers of the stack; nothing is asked of a network."""
    around = surrounding(options)
    places = places_of(around.folder, os.environ)
    locks = locks_of(around.folder)
    declared = around.stack.providers.values() if around.stack is not None else ()
    rows: list[_Row] = []
    for setup in declared:
        lock = locks.get(setup.source)
        locked = lock.version if lock is not None else ""
        try:
            rows.append(_Row(setup, locked, installed(setup, places), None))
        except Refusal as refusal:
            rows.append(_Row(setup, locked, None, refusal.problems[0]))
    if options.as_json:
        say_json({"providers": [_json(each) for each in rows]})
    elif not rows:
        say("the stack declares no providers")
    else:
        head = ["NAME", "SOURCE", "WANTED", "LOCKED", "HERE"]
        say(_table([head, *(_cells(each) for each in rows)]))
    return Exit.DONE


def _cells(row: _Row) -> list[str]:
    state = str(row.found.program) if row.found else f"no: {row.problem.code}" if row.problem else ""
    wanted = row.setup.version or "any"
    return [row.setup.name, row.setup.source, wanted, row.locked or "-", state]


def _json(row: _Row) -> Json:
    return {
        "name": row.setup.name,
        "source": row.setup.source,
        "of": row.setup.of or None,
        "wanted": row.setup.version or None,
        "locked": row.locked or None,
        "version": row.found.version if row.found else None,
        "program": str(row.found.program) if row.found else None,
        "sha256": row.found.digest if row.found else None,
        "problem": problem_json(row.problem) if row.problem else None,
    }


def _table(rows: Sequence[Sequence[str]]) -> str:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join(
        "  ".join(padded(cell, width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    )
