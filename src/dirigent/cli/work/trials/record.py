"""Make a test file from a run that has ended."""

from __future__ import annotations

from dataclasses import field
from pathlib import Path

from dirigent.app.looking import looking
from dirigent.app.trials.recording import recording
from dirigent.cli.answer import complain
from dirigent.cli.exits import Exit
from dirigent.cli.given import Options
from dirigent.cli.output import say
from dirigent.cli.place import Place, place
from dirigent.cli.waiting import wait_for
from dirigent.cli.work.trials.writing import write
from dirigent.model.ids import RunId
from dirigent.model.problem import Problem, refuse
from dirigent.model.program import Program
from dirigent.model.record import dataclass
from dirigent.model.run.journal import Fact
from dirigent.service.finding import find

# Where a file would lie that is printed: paths in it start there.
PRINTED = "recorded.test.yaml"


@dataclass(slots=True)
class _Found:
    """The run that is recorded."""

    runs: list[tuple[RunId, Program]] = field(default_factory=list)
    facts: list[Fact] = field(default_factory=list)


def record(options: Options) -> int:
    """Print the test file, or write it where `--to` says."""
    where, target, found = place(options), options.text("to"), _Found()
    if target and Path(target).exists():
        raise refuse("E6012", f"`{target}` is there already", "name another file, or remove that one")
    code = wait_for(_read(where, options.text("record"), found))
    if code != Exit.DONE:
        return code
    ((run, program),) = found.runs
    made = recording(run, program, found.facts, where.stack_file, Path(target or PRINTED))
    if target:
        write(Path(target), made.text)
        say(f"wrote {target}")
    else:
        say(made.text.rstrip())
    if not made.problems:
        return Exit.DONE
    first = made.problems[0]
    words = f"the test of run `{run}` does not pass: {first.message}"
    helps = (*first.help, "what the run was told by chance, a test can only be told by hand: mend the file")
    complain([Problem("E6013", words, help=helps)])
    return Exit.FAILED


async def _read(where: Place, wanted: str, found: _Found) -> int:
    async with looking(where.settings) as reader:
        summary = await find(reader.shelf, wanted)
        found.runs.append((summary.id, await reader.journal.definition(summary.definition)))
        found.facts += await reader.journal.read(summary.id)
    return Exit.DONE
