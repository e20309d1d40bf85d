"""Follow a run to its end: a live picture on a terminal, one line per change elsewhere.

The picture shows what fails, runs and waits; what is done is a number. It is drawn at most ten times
a second, whatever the run does.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, TextIO

from dirigent.app import Desk
from dirigent.cli.run_text import change_line, lasted, sign
from dirigent.cli.shell import note
from dirigent.cli.terminal import Terminal, cut, padded, shown, terminal_of
from dirigent.model.ids import Position, RunId
from dirigent.model.problem import refuse
from dirigent.model.program import Program, Task
from dirigent.model.run.journal import (
    Abandoned,
    Created,
    Ended,
    Fact,
    Failed,
    Held,
    Intended,
    Repeated,
    Skipped,
    Succeeded,
    TimerFired,
    TimerSet,
    Vouched,
)
from dirigent.service.views import name_of, tasks_of

FRAME_SECONDS: Final = 0.1
ROWS: Final = 12


@dataclass(slots=True)
class Row:
    """One effect or wait that is not over."""

    name: str
    status: str
    since: float
    why: str = ""


@dataclass(slots=True)
class Picture:
    """What is known of a run from its facts so far."""

    run: RunId
    title: str = ""
    tasks: Mapping[str, Task] = field(default_factory=dict)
    rows: dict[Position, Row] = field(default_factory=dict)
    done: int = 0
    failed: int = 0
    since: float = 0.0
    ended: Ended | None = None

    def hear(self, program: Program, facts: Sequence[Fact]) -> None:
        """Take facts in."""
        if not self.tasks:
            self.tasks, self.title = tasks_of(program), f"{program.kind} {program.name}"
        for fact in facts:
            self._take(fact)

    def _take(self, fact: Fact) -> None:
        match fact:
            case Created(at=at):
                self.since = at
            case Ended():
                self.ended = fact
            case Intended(position=position) | Repeated(position=position):
                self.rows[position] = Row(name_of(position, self.tasks), "running", fact.at)
            case TimerSet(position=position, purpose="wait" | "retry" as purpose):
                status = "waiting" if purpose == "wait" else "retrying"
                before = self.rows.get(position)
                name = name_of(position, self.tasks)
                self.rows[position] = Row(name, status, fact.at, before.why if before else "")
            case Held(position=position, reason=reason):
                self.rows[position] = Row(name_of(position, self.tasks), "held", fact.at, reason)
            case Failed(position=position, fault=fault):
                self.failed += 1
                why = fault.detail or fault.title
                self.rows[position] = Row(name_of(position, self.tasks), "failed", fact.at, why)
            case Succeeded(position=position) | Vouched(position=position) | Skipped(position=position):
                self.done += 1
                self.rows.pop(position, None)
            case Abandoned(position=position) | TimerFired(position=position):
                self.rows.pop(position, None)
            case _:
                pass

    def lines(self, now: float, terminal: Terminal) -> list[str]:
        """Return the picture, at most `ROWS` rows and the head and foot."""
        counts = f"{self.done} done" + (f"   {self.failed} failed" if self.failed else "")
        head = (
            f" {terminal.paint(self.title, 'bold')}  run {self.run}    {counts}   {lasted(now - self.since)}"
        )
        order = {"held": 0, "failed": 1, "retrying": 2, "running": 3, "waiting": 4}
        rows = sorted(self.rows.values(), key=lambda row: order.get(row.status, 9))
        body = [
            f"  {sign(row.status, terminal)} {padded(row.name, 24)} {padded(row.status, 9)} "
            f"{padded(lasted(now - row.since), 7)} {shown(row.why)}".rstrip()
            for row in rows[:ROWS]
        ]
        if len(rows) > ROWS:
            body.append(f"  ... {len(rows) - ROWS} more")
        foot = f" Ctrl-C stops here; go on with: dirigent resume {self.run}"
        return [cut(line, terminal.width + 30) for line in [head, *body, terminal.paint(foot, "grey")]]


class Screen:
    """A stretch of a terminal that is drawn over and over."""

    def __init__(self, stream: TextIO) -> None:
        """Draw on a stream."""
        self._stream = stream
        self._drawn = 0

    def draw(self, lines: Sequence[str]) -> None:
        """Replace what was drawn before."""
        back = f"\x1b[{self._drawn}A" if self._drawn else ""
        self._stream.write(back + "".join(f"\x1b[2K{line}\n" for line in lines) + "\x1b[J")
        self._stream.flush()
        self._drawn = len(lines)

    def clear(self) -> None:
        """Take the picture away."""
        self.draw(())


async def followed(desk: Desk, run: RunId, *, as_json: bool = False) -> Ended:
    """Return how a run ended, showing it on the way. Ctrl-C leaves it resumable and says how."""
    picture = Picture(run)
    terminal = terminal_of(sys.stderr)
    live = terminal.live and not as_json
    stop_when_held = asyncio.Event()

    def heard(_: RunId, program: Program, facts: Sequence[Fact]) -> None:
        picture.hear(program, facts)
        if not live and not as_json:
            _tell(picture, facts)
        if any(row.status == "held" for row in picture.rows.values()):
            stop_when_held.set()

    following = asyncio.ensure_future(desk.must_conduct.follow(run, heard))
    held = asyncio.ensure_future(stop_when_held.wait())
    painting = asyncio.ensure_future(_paint(picture, desk.clock.now, terminal)) if live else None
    try:
        await asyncio.wait({following, held}, return_when=asyncio.FIRST_COMPLETED)
        if following.done():
            return following.result()
        raise refuse(
            "E4013",
            f"run `{run}` is held: nobody can say whether an effect happened",
            f"look at the evidence with `dirigent show {run}`",
            f"then `dirigent resume {run} --done`, `--repeat` or `--skip`",
        )
    except asyncio.CancelledError:
        note(f"stopped; nothing is lost. Go on with: dirigent resume {run}")
        raise
    finally:
        for task in (following, held, painting):
            if task is not None:
                task.cancel()


def _tell(picture: Picture, facts: Sequence[Fact]) -> None:
    names: dict[str, str] = {position: row.name for position, row in picture.rows.items()}
    for fact in facts:
        position = getattr(fact, "position", None)
        if position is not None and position not in names:
            names[position] = name_of(position, picture.tasks)
        line = change_line(fact, names)
        if line is not None:
            sys.stdout.write(line + "\n")
    sys.stdout.flush()


async def _paint(picture: Picture, now: Callable[[], float], terminal: Terminal) -> None:
    screen = Screen(sys.stderr)
    try:
        while True:
            screen.draw(picture.lines(now(), terminal))
            await asyncio.sleep(FRAME_SECONDS)
    finally:
        screen.clear()
