"""Checks as text: how many hold, and each that does not, with what it has seen."""

from __future__ import annotations

import json
from collections.abc import Sequence

from dirigent.cli import wire
from dirigent.cli.text.runs import sign
from dirigent.cli.text.terminal import Terminal, cut, shown
from dirigent.service.views.checks import END, CheckView

_VALUE_COLUMNS = 80


def check_lines(checks: Sequence[CheckView], terminal: Terminal, *, full: bool = False) -> list[str]:
    """Return the lines on checks, none without any. `full` lists those that hold, too."""
    if not checks:
        return []
    lines = ["", f"  {terminal.paint('CHECKS', 'bold')}  {_counts(checks)}"]
    for each in checks:
        if each.holds is False or full:
            lines += _lines(each, terminal)
    return lines


def _counts(checks: Sequence[CheckView]) -> str:
    failed = sum(1 for each in checks if each.holds is False)
    held = sum(1 for each in checks if each.holds)
    later = len(checks) - failed - held
    counted = {
        "does not hold" if failed == 1 else "do not hold": failed,
        "holds" if held == 1 else "hold": held,
        "known at apply": later,
    }
    return ", ".join(f"{number} {words}" for words, number in counted.items() if number)


def _lines(check: CheckView, terminal: Terminal) -> list[str]:
    status = "waiting" if check.holds is None else "succeeded" if check.holds else "failed"
    owner = check.owner if check.when == END else f"{check.owner} ({check.when})"
    words = check.message or check.that
    place = f"  {terminal.paint(str(check.at), 'grey')}" if check.at is not None else ""
    lines = [f"  {sign(status, terminal)} {shown(owner)}: {shown(words)}{place}"]
    for path, value in check.seen.items():
        text = cut(shown(json.dumps(wire.value(value), ensure_ascii=False)), _VALUE_COLUMNS)
        lines.append(f"        {shown(path)} = {text}")
    return lines
