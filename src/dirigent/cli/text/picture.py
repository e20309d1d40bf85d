"""The picture of a run that goes on: what fails, runs and waits; what is done is a number.

On a terminal it is drawn over and over; elsewhere each change is a line, and a long silence a line.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field
from typing import Final, TextIO

from dirigent.cli.text.runs import change_line, clock, lasted, sign
from dirigent.cli.text.terminal import Terminal, columns, cut, padded, shown
from dirigent.model.ids import Position, RunId
from dirigent.model.program import Program, Task, tasks_of
from dirigent.model.record import dataclass
from dirigent.model.run.effect import PAUSED
from dirigent.model.run.journal import (
    Abandoned,
    Created,
    Ended,
    Fact,
    Failed,
    Held,
    Intended,
    Overruled,
    Repeated,
    Resumed,
    Retried,
    Skipped,
    Succeeded,
    Suspended,
    TimerFired,
    TimerSet,
    Vouched,
)
from dirigent.service.views import name_of

HEARTBEAT_SECONDS: Final = 30.0
ROWS: Final = 12
NAMES: Final = 4
NAME_COLUMNS: Final = 32
_ORDER: Final = {"held": 0, "failed": 1, "retrying": 2, "running": 3, "waiting": 4}


@dataclass(slots=True)
class Row:
    """One effect or wait that is not over."""

    name: str
    status: str
    since: float
    why: str = ""
    paused: bool = False


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
    suspended: bool = False

    def hear(self, program: Program, facts: Sequence[Fact]) -> None:
        """Take facts in."""
        if not self.tasks:
            self.tasks = {task.pointer: task for task in tasks_of(program.root)}
            self.title = f"{program.kind} {program.name}"
        for fact in facts:
            self._take(fact)

    def _take(self, fact: Fact) -> None:
        match fact:
            case Created(at=at):
                self.since = at
            case Suspended() | Resumed():
                self.suspended = isinstance(fact, Suspended)
            case Intended(position=position) | Repeated(position=position):
                self.rows[position] = Row(name_of(position, self.tasks), "running", fact.at)
            case TimerSet(position=position, purpose="wait" | "retry" as purpose):
                status = "waiting" if purpose == "wait" else "retrying"
                before = self.rows.get(position)
                name = name_of(position, self.tasks)
                self.rows[position] = Row(name, status, fact.at, before.why if before else "")
            case Held(position=position, reason=reason, evidence=evidence):
                paused = PAUSED in evidence
                self.rows[position] = Row(name_of(position, self.tasks), "held", fact.at, reason, paused)
            case Failed(position=position, fault=fault):
                self.failed += 1
                why = fault.detail or fault.title
                self.rows[position] = Row(name_of(position, self.tasks), "failed", fact.at, why)
            case (
                Succeeded(position=position)
                | Vouched(position=position)
                | Skipped(position=position)
                | TimerFired(position=position, purpose="wait")
            ):
                self.done += 1
                self.rows.pop(position, None)
            case Abandoned(position=position) | TimerFired(position=position) | Overruled(position=position):
                self.rows.pop(position, None)
            case Retried():
                # What failed is taken back, with all that followed.
                self.rows.clear()
                self.failed = 0
            case _:
                pass

    @property
    def stopped(self) -> str:
        """Return `held`, `paused` or `suspended` when only a person can move the run, else nothing.

        Beside a step that failed and waits to be mended others go on: it is `paused` when they have ended.
        """
        if self.suspended:
            return "suspended"
        held = [row for row in self.rows.values() if row.status == "held"]
        if any(not row.paused for row in held):
            return "held"
        going = any(row.status in {"running", "waiting", "retrying"} for row in self.rows.values())
        return "paused" if held and not going else ""

    def lines(self, now: float, terminal: Terminal, foot: str) -> list[str]:
        """Return the picture: a head, the rows that there is room for, and the foot."""
        counts = f"{self.done} done" + (f"   {self.failed} failed" if self.failed else "")
        head = f" {terminal.paint(self.title, 'bold')}  run {self.run}    {counts}   {_ago(now, self.since)}"
        rows = sorted(self.rows.values(), key=lambda row: _ORDER.get(row.status, 9))
        room = max(1, min(ROWS, terminal.height - 4))
        width = min(NAME_COLUMNS, max([12, *(columns(row.name) for row in rows[:room])]))
        body = [
            f"  {sign(row.status, terminal)} {padded(cut(row.name, width), width)} {padded(row.status, 9)} "
            f"{padded(_ago(now, row.since), 7)} {shown(row.why)}".rstrip()
            for row in rows[:room]
        ]
        if len(rows) > room:
            body.append(f"  and {len(rows) - room} more")
        return [cut(line, terminal.width - 1) for line in [head, *body, terminal.paint(f" {foot}", "grey")]]

    def epilogue(self, end: Ended, terminal: Terminal) -> str:
        """Return the line that stays when the picture is taken away."""
        took = lasted(end.at - self.since)
        return f"{sign(end.phase, terminal)} {self.title}  {end.phase}, {self.done} done in {took}"

    def heartbeat(self, now: float) -> str:
        """Return the line that says that the run still goes on."""
        active = [row for row in self.rows.values() if row.status != "failed"]
        names = ", ".join(row.name for row in active[:NAMES])
        more = f" and {len(active) - NAMES} more" if len(active) > NAMES else ""
        what = f": {names}{more}" if names else ""
        counts = f"{self.done} done, {len(active)} under way"
        return f"{clock(now)} RUNNING   {counts}{what} ({_ago(now, self.since)})"


class Heart:
    """Says when a heartbeat is due: after a silence of `HEARTBEAT_SECONDS`, and not before."""

    def __init__(self, now: float) -> None:
        """Begin with a silence."""
        self._last = now

    def heard(self, now: float) -> None:
        """Note that something was said."""
        self._last = now

    def due(self, now: float) -> bool:
        """Return whether the silence has lasted."""
        return now - self._last >= HEARTBEAT_SECONDS


def told(picture: Picture, facts: Sequence[Fact]) -> list[str]:
    """Return the lines that facts are worth where nothing can be drawn over."""
    names: dict[str, str] = {position: row.name for position, row in picture.rows.items()}
    lines: list[str] = []
    for fact in facts:
        position = getattr(fact, "position", None)
        if position is not None and position not in names:
            names[position] = name_of(position, picture.tasks)
        line = change_line(fact, names)
        if line is not None:
            lines.append(line)
    return lines


def _ago(now: float, since: float) -> str:
    return lasted(now - since) if since else ""


class Screen:
    """A stretch of a terminal that is drawn over and over."""

    def __init__(self, stream: TextIO) -> None:
        """Draw on a stream."""
        self._stream = stream
        self._drawn = 0

    def draw(self, lines: Sequence[str]) -> None:
        """Replace what was drawn before."""
        # The terminal itself may have written in our line: Ctrl-C is echoed as `^C`.
        back = "\r" + (f"\x1b[{self._drawn}A" if self._drawn else "")
        self._stream.write(back + "".join(f"\x1b[2K{line}\n" for line in lines) + "\x1b[J")
        self._stream.flush()
        self._drawn = len(lines)

    def clear(self) -> None:
        """Take the picture away."""
        self.draw(())
