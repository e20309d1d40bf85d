"""A plan as text: what destroys first, then what changes, then what is new, and what comes next."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from typing import Final

from dirigent.cli import wire
from dirigent.cli.text.terminal import Terminal, columns, cut, padded, shown
from dirigent.model.plan import Action, Change, Difference, Plan
from dirigent.model.values import SecretText, Unknown, Value

DESTRUCTIVE: Final = (Action.REPLACE, Action.DELETE)
_SIGNS: Final = {
    Action.CREATE: ("+", "green"),
    Action.UPDATE: ("~", "yellow"),
    Action.REPLACE: ("-/+", "red"),
    Action.DELETE: ("-", "red"),
    Action.FORGET: ("x", "yellow"),
    Action.KEEP: ("=", "grey"),
}
# More differences than these are counted, not listed, unless all are asked for.
DIFFERENCES: Final = 8
CREATES: Final = 12
VALUE_COLUMNS: Final = 48


def plan_text(plan: Plan, terminal: Terminal, *, full: bool = False) -> str:
    """Return the text of a plan. `full` lists every difference and every new instance."""
    lines = [_head(plan, terminal)]
    groups = _groups(plan)
    for title, tint, changes in groups:
        lines.append("")
        lines.append(f"  {terminal.paint(title, tint, 'bold')}  {_counts(changes)}")
        shown_changes = changes if full or title != "CREATE" else changes[:CREATES]
        for change in shown_changes:
            lines.extend(_change_lines(change, terminal, full=full))
        if len(changes) > len(shown_changes):
            lines.append(f"  ... and {len(changes) - len(shown_changes)} more: {_types(changes[CREATES:])}")
    kept = len(plan.changes) - len(plan.pending)
    if kept:
        lines += ["", f"  {terminal.paint('UNCHANGED', 'grey')}  {kept}"]
    if not plan.pending:
        lines += ["", "  Nothing to do: what is declared is what stands."]
    return "\n".join(lines)


def next_step(plan: Plan) -> str:
    """Return the line that says how a plan is carried out."""
    verb = "down" if plan.destroy else "up"
    return f"  next: dirigent {verb} {plan.id}"


def _head(plan: Plan, terminal: Terminal) -> str:
    aim = "take down " if plan.destroy else ""
    read = f"{sum(1 for c in plan.changes if c.prior)} resources read in {plan.read_seconds:.1f}s"
    return f"{terminal.paint(f'plan {plan.id}', 'bold')}  {aim}{plan.stack}  ({read})"


def _groups(plan: Plan) -> list[tuple[str, str, list[Change]]]:
    destructive = [c for c in plan.changes if c.action in DESTRUCTIVE]
    others = [
        ("UPDATE", "yellow", [c for c in plan.changes if c.action is Action.UPDATE]),
        ("FORGET", "yellow", [c for c in plan.changes if c.action is Action.FORGET]),
        ("CREATE", "green", [c for c in plan.changes if c.action is Action.CREATE]),
    ]
    return [group for group in [("DESTRUCTIVE", "red", destructive), *others] if group[2]]


def _counts(changes: Sequence[Change]) -> str:
    counted = Counter(change.action.value for change in changes)
    if len(counted) == 1:
        return str(len(changes))
    return ", ".join(f"{number} {action}" for action, number in counted.items())


def _types(changes: Sequence[Change]) -> str:
    counted = Counter(change.type for change in changes)
    return ", ".join(f"{name} x{number}" if number > 1 else name for name, number in counted.items())


def _change_lines(change: Change, terminal: Terminal, *, full: bool) -> list[str]:
    sign, tint = _SIGNS[change.action]
    name = padded(change.address, 20)
    because = f"  {change.because}" if change.because else ""
    place = f"  {change.span}" if change.span else ""
    line = f"  {terminal.paint(padded(sign, 3), tint)} {name} {padded(change.type, 12)}{because}"
    lines = [f"{line}{terminal.paint(place, 'grey')}"]
    if change.drifted:
        lines.append("        drifted: it is no longer as it was applied")
    if change.action in {Action.UPDATE, Action.REPLACE}:
        chosen = change.differences if full else change.differences[:DIFFERENCES]
        width = max((columns(d.path) for d in chosen), default=0)
        lines += [_difference_line(d, width, terminal) for d in chosen]
        if len(change.differences) > len(chosen):
            lines.append(f"        ... and {len(change.differences) - len(chosen)} more properties")
    lines += [f"        {terminal.paint('warning', 'yellow')}: {shown(text)}" for text in change.warnings]
    return lines


def _difference_line(found: Difference, width: int, terminal: Terminal) -> str:
    forced = f"   {terminal.paint('forces replacement', 'red')}" if found.forces_replacement else ""
    place = f"   {terminal.paint(str(found.span), 'grey')}" if found.span else ""
    change = f"{_value_text(found.before)} -> {_value_text(found.after)}"
    return f"        {padded(found.path, width)}  {change}{forced}{place}"


def _value_text(value: Value) -> str:
    if value is None:
        return "(none)"
    if isinstance(value, Unknown):
        return "(known after apply)"
    if isinstance(value, SecretText):
        return str(value)
    return cut(shown(json.dumps(wire.value(value), ensure_ascii=False)), VALUE_COLUMNS)


def drift_text(changes: Sequence[Change], terminal: Terminal) -> str:
    """Return what drifted, or that nothing did."""
    if not changes:
        return "nothing drifted: the world is as it was applied"
    lines = [f"{terminal.paint('DRIFTED', 'yellow', 'bold')}  {len(changes)}"]
    for change in changes:
        lines.extend(_change_lines(change, terminal, full=True))
    return "\n".join([*lines, "", "  repair it with: dirigent up"])
