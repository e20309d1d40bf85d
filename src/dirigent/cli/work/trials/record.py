"""Make a test file from a run that has ended."""

from __future__ import annotations

from dirigent.app.looking import looking
from dirigent.cli.exits import Exit
from dirigent.cli.options import Options
from dirigent.cli.output import say
from dirigent.cli.place import place
from dirigent.service.finding import find
from dirigent.testing.trial.recording import recorded


async def record(options: Options) -> int:
    """Print the test file."""
    async with looking(place(options).settings) as reader:
        found = await find(reader.shelf, options.text("record"))
        program = await reader.journal.definition(found.definition)
        facts = await reader.journal.read(found.id)
    say(recorded(found.id, program, facts).rstrip())
    return Exit.DONE
