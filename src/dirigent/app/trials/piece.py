"""What a test plays: a workflow, those that it may run, and where what they need from elsewhere lies."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import field, replace
from pathlib import Path
from typing import Final

from dirigent.app.elsewhere.linking import Linker, Read, linker
from dirigent.app.tools import TOOLS
from dirigent.core.machine import Tools
from dirigent.engine.engine import Whole
from dirigent.jq import LANGUAGE
from dirigent.lang.workflow.calls.kinds import CALLS
from dirigent.lang.workflow.calls.runs import RUNS
from dirigent.model.program import Call, Code, Program, tasks_of
from dirigent.model.record import dataclass
from dirigent.model.run.schedule import Schedule
from dirigent.model.run.start import Start
from dirigent.model.values import Value
from dirigent.ports import Performer, Plays

# Those of documents; of workflows in Python; and what asks a person for a code of OAuth.
_KNOWN: Final = frozenset({*CALLS, *RUNS, "python", "authorize"})


@dataclass(frozen=True, slots=True)
class Piece:
    """What is played: a workflow, and those that it may run, by namespace, name and version.

    `folders` are where files of workflows are looked for, one after the other; `plays` are the workflows in
    Python, whose module lies below `home`; `schedule` is what the workflow has.
    """

    program: Program
    others: Mapping[tuple[str, str, str], Program] = field(default_factory=dict)
    metadata: Mapping[str, Value] = field(default_factory=dict)
    folders: tuple[Path, ...] = ()
    plays: Plays | None = None
    home: str = ""
    schedule: Schedule | None = None

    @property
    def programs(self) -> tuple[Program, ...]:
        """Return all that may be played, the workflow of the test first."""
        return tuple({id(each): each for each in (self.program, *self.others.values())}.values())

    @property
    def code(self) -> bool:
        """Return whether any of it is written in Python."""
        return any(isinstance(each.root.node, Code) for each in self.programs)

    @property
    def functions(self) -> set[str]:
        """Return every function that there is: what lies elsewhere may call any."""
        tasks = (task for program in self.programs for task in tasks_of(program.root))
        found = {task.node.function for task in tasks if isinstance(task.node, Call)}
        return found | _KNOWN

    @property
    def tools(self) -> Tools:
        """Return what the core computes with."""
        return replace(TOOLS, plays=self.plays)

    def linker(self, files: Mapping[str, str]) -> Whole:
        """Return what puts in its place what lies elsewhere: texts of the test, then files."""

        async def program(
            start: Start, performers: Mapping[str, Performer], known: Mapping[str, str]
        ) -> Program:
            found = Linker(LANGUAGE, self.read)
            return await found.program(start, performers, {**files, **known})

        return program

    def read(self, uri: str) -> bytes:
        """Return a file of a workflow from the first folder that has it. Raises `OSError`."""
        for read in self._readers():
            with suppress(FileNotFoundError):
                return read(uri)
        raise FileNotFoundError(2, "No such file or directory", uri)

    def _readers(self) -> Iterator[Read]:
        for folder in self.folders or (Path(),):
            yield linker(folder).read
