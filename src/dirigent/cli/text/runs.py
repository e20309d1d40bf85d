"""Runs as text: lists, and the line that a change is worth where nothing can be drawn over."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Final

from dirigent.cli import wire
from dirigent.cli.text.terminal import Terminal, cut, padded, shown
from dirigent.model.fault import Fault
from dirigent.model.ids import RunId
from dirigent.model.problem import Problem
from dirigent.model.resource import ResourceRow
from dirigent.model.run.journal import (
    CancelRequested,
    Ended,
    Fact,
    Failed,
    Held,
    Intended,
    Overruled,
    Resumed,
    Retried,
    Succeeded,
    Suspended,
    TimerSet,
)
from dirigent.model.run.summary import RunSummary
from dirigent.model.values import Value
from dirigent.providers.services.logs import LogLine

SIGNS: Final = {
    "succeeded": ("✓", "green"),
    "completed": ("✓", "green"),
    "running": ("●", "cyan"),
    "retrying": ("↻", "yellow"),
    "waiting": ("⏸", "blue"),
    "queued": ("⏸", "blue"),
    "suspended": ("⏸", "blue"),
    "held": ("?", "yellow"),
    "failed": ("✕", "red"),
    "faulted": ("✕", "red"),
    "cancelled": ("⊗", "yellow"),
    "cancelling": ("⊗", "yellow"),
    "skipped": ("⇢", "grey"),
}
# Sixty of the smaller make one of the greater, with seconds as with minutes.
MINUTE: Final = 60
_PLAIN: Final = {"✓": "+", "●": "*", "↻": "~", "⏸": "=", "✕": "x", "⊗": "x", "⇢": ">"}


def sign(status: str, terminal: Terminal) -> str:
    """Return the sign of a state, in its colour where there is one."""
    letter, tint = SIGNS.get(status, ("·", "grey"))
    if not terminal.unicode:
        letter = _PLAIN.get(letter, letter if letter.isascii() else ".")
    return terminal.paint(letter, tint)


def clock(at: float) -> str:
    """Return a time of day in the local time zone."""
    return datetime.fromtimestamp(at, tz=UTC).astimezone().strftime("%H:%M:%S")


def lasted(seconds: float) -> str:
    """Return a length of time for people: `840ms`, `12.3s`, `4m10s`, `2h05m`."""
    if seconds < 1:
        return f"{max(0, round(seconds * 1000))}ms"
    if seconds < MINUTE:
        return f"{seconds:.1f}s"
    minutes, rest = divmod(int(seconds), MINUTE)
    if minutes < MINUTE:
        return f"{minutes}m{rest:02}s"
    return f"{minutes // MINUTE}h{minutes % MINUTE:02}m"


_FAULT_LEAST, _FAULT_MOST = 20, 60


def runs_text(found: Sequence[RunSummary], now: float, terminal: Terminal, *, ended: bool = False) -> str:
    """Return a table of runs; without any, where those are that have ended, if some have."""
    if not found:
        return "no runs are open: `dirigent ps --all` has those that ended" if ended else "no runs"
    widths = [max(len(run.id) for run in found), max(len(run.kind) for run in found)]
    lines = []
    for run in found:
        spent = lasted((run.ended_at or now) - run.created_at)
        line = (
            f"{padded(run.id, widths[0])}  {padded(run.kind, widths[1])}  "
            f"{padded(run.phase, 10)}  {clock(run.created_at)}  {padded(spent, 7)}"
        )
        # The fault has what is left of the line, and always enough to be recognised.
        room = max(_FAULT_LEAST, min(_FAULT_MOST, terminal.width - len(line) - len("✕ ") - 2))
        why = f"  {cut(_fault_line(run.fault), room)}" if run.fault else ""
        lines.append(f"{sign(run.phase, terminal)} {line}{why}".rstrip())
    return "\n".join(lines)


def left_out_lines(left: Mapping[RunId, Problem]) -> list[str]:
    """Return a line for each open run that the engine could not take up."""
    return [f"left out: {run} cannot go on: {why.code} {why.message}" for run, why in left.items()]


def rows_text(rows: Sequence[ResourceRow], terminal: Terminal) -> str:
    """Return a table of resources."""
    if not rows:
        return "no resources"
    widths = [max(len(row.address) for row in rows), max(len(row.type) for row in rows)]
    lines = []
    for row in rows:
        told = row.attributes.get("url") or row.attributes.get("path") or ""
        marks = [word for word, holds in (("tainted", row.tainted), ("protected", row.protect)) if holds]
        shown_marks = f"  {terminal.paint(' '.join(marks), 'yellow')}" if marks else ""
        lines.append(
            f"  {padded(row.address, widths[0])}  {padded(row.type, widths[1])}  {told}{shown_marks}"
        )
    return "\n".join(lines)


def fault_text(fault: Fault, terminal: Terminal) -> str:
    """Return an error of a run: what, where in the document, and why."""
    name = fault.title or fault.type.rpartition("/")[2]
    lines = [f"{terminal.paint('error', 'red', 'bold')}: {name} ({fault.status}) at {fault.instance}"]
    if fault.span is not None:
        lines.append(f"  --> {fault.span}")
    if fault.detail:
        lines.append(f"  = {shown(fault.detail)}")
    return "\n".join(lines)


def ended_text(run: RunId, end: Ended) -> str:
    """Return one line on a run that did not complete and tells no error."""
    return f"run {run} was {end.phase}"


def event_line(fact: tuple[int, str, float], members: str, terminal: Terminal) -> str:
    """Return a line of a journal: number, kind and seconds since the beginning of a fact, and its members."""
    number, kind, since = fact
    line = f"{number:>4} {since:>9.3f}s {terminal.paint(f'{kind:<16}', 'bold')} {members}"
    return cut(line, terminal.width) if terminal.live else line


def log_line(service: str, line: LogLine, terminal: Terminal) -> str:
    """Return a line of the log of a service, with the time and the replica that wrote it."""
    who = "steward" if line.replica is None else f"{service}#{line.replica}"
    return f"{terminal.paint(f'{clock(line.at)} {who}', 'grey')} {shown(line.text)}"


def _fault_line(fault: Fault) -> str:
    return cut(shown(fault.detail or fault.title or fault.type), _FAULT_MOST)


def indented(value: Value) -> str:
    """Return a value as indented JSON."""
    text = json.dumps(wire.value(value), ensure_ascii=False, indent=2)
    return "\n".join(f"  {line}" for line in text.splitlines())


def change_line(fact: Fact, names: dict[str, str]) -> str | None:
    """Return the line that a fact is worth in a quiet log, or None. `names` are task names by position."""
    told = _told(fact, names)
    return None if told is None else f"{clock(fact.at)} {told}"


def _told(fact: Fact, names: dict[str, str]) -> str | None:
    told: str | None = None
    match fact:
        case Intended(position=position, attempt=attempt):
            told = f"STARTED   {names.get(position, position)}{_attempt(attempt)}"
        case Succeeded(position=position, attempt=attempt):
            told = f"DONE      {names.get(position, position)}{_attempt(attempt)}"
        case Failed(position=position, attempt=attempt, fault=fault):
            told = f'FAILED    {names.get(position, position)}{_attempt(attempt)} "{_fault_line(fault)}"'
        case Held(position=position, reason=reason):
            told = f'HELD      {names.get(position, position)} "{reason}"'
        case TimerSet(position=position, purpose="wait" | "retry" as purpose, until=until):
            told = f"WAITING   {names.get(position, position)} for {purpose} until {clock(until)}"
        case Suspended() | Resumed() | CancelRequested():
            told = type(fact).__name__.upper()
        case Retried(position=position, answer=answer) | Overruled(position=position, answer=answer):
            word = {"again": "RETRIED", "skip": "SKIPPED", "output": "ANSWERED"}[answer]
            told = f"{word:<9} {names.get(position, position)}{f' by {fact.by}' if fact.by else ''}"
        case Ended(phase=phase):
            told = phase.upper()
        case _:
            pass
    return told


def _attempt(number: int) -> str:
    return f" attempt={number}" if number > 1 else ""
