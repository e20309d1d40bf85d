"""A plan as text: what destroys first, then what changes, then what is new, and what comes next."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from typing import Final

from dirigent.cli import wire
from dirigent.cli.text.checks import check_lines
from dirigent.cli.text.terminal import Terminal, columns, cut, padded, shown
from dirigent.model.ids import split_path
from dirigent.model.plan import DESTRUCTIVE, Action, Change, Difference, OnFailure, Plan, danger_first, lost
from dirigent.model.source import Span
from dirigent.model.values import SecretText, Unknown, Value
from dirigent.planning.safety.undoing import losses
from dirigent.service.views.checks import of_plan

_PARTING: Final = (Action.FORGET, Action.RELEASE)
_SIGNS: Final = {
    Action.CREATE: ("+", "green"),
    Action.UPDATE: ("~", "yellow"),
    Action.REPLACE: ("-/+", "red"),
    Action.DELETE: ("-", "red"),
    Action.FORGET: ("x", "yellow"),
    Action.RELEASE: ("x", "yellow"),
    Action.ADOPT: (">", "blue"),
    Action.READ: ("<=", "blue"),
    Action.KEEP: ("=", "grey"),
}
_VERBS: Final = {
    Action.DELETE: "to delete",
    Action.REPLACE: "to replace",
    Action.UPDATE: "to update",
    Action.FORGET: "to forget",
    Action.RELEASE: "to let go of",
    Action.ADOPT: "to adopt",
    Action.CREATE: "to create",
    Action.READ: "to look up",
    Action.KEEP: "unchanged",
}
# More than these are counted, not listed, unless all are asked for. What destroys is listed longest.
ROWS: Final = {
    "DESTRUCTIVE": 40,
    "UPDATE": 20,
    "FORGET": 20,
    "ADOPT": 20,
    "IMPORT": 20,
    "MOVE": 20,
    "READ": 12,
    "CREATE": 12,
}
DIFFERENCES: Final = 8
LOSSES: Final = 12
NAMES: Final = 5
VALUE_COLUMNS: Final = 48
_BELOW: Final = " " * 10
NAME_COLUMNS: Final = (12, 32)


def plan_text(plan: Plan, terminal: Terminal, *, full: bool = False) -> str:
    """Return the text of a plan. `full` lists every change and every difference."""
    lines = [_head(plan, terminal), *_partial(plan, terminal)]
    widths = _widths(plan.pending)
    for title, tint, grouped in _groups(plan):
        changes = _by_module(grouped)
        costs = sum(1 for change in changes if change.loses)
        loss = f"   {terminal.paint(f'data loss: {costs}', 'red', 'bold')}" if costs else ""
        lines += ["", f"  {terminal.paint(title, tint, 'bold')}  {_counts(changes)}{loss}"]
        listed = changes if full else changes[: ROWS[title]]
        module = ""
        for change in listed:
            inside, _ = _parted(change)
            if inside != module:
                module = inside
                lines.append(f"      in {terminal.paint(shown(module), 'bold')}")
            lines.extend(_change_lines(change, terminal, widths, full=full))
        if len(changes) > len(listed):
            rest = changes[len(listed) :]
            lines.append(f"  and {len(rest)} more: {_types(rest)}")
    lines += check_lines(of_plan(plan), terminal, full=full)
    lines += ["", f"  {summary(plan)}", *failure_lines(plan, full=full)]
    return "\n".join(lines)


def summary(plan: Plan) -> str:
    """Return how much a plan does, in one line, what destroys first."""
    counted = Counter(change.action for change in plan.changes)
    if not plan.pending:
        kept = f" ({counted[Action.KEEP]} unchanged)" if counted[Action.KEEP] else ""
        what = "nothing is left to take down" if plan.destroy else "what is declared is what stands"
        if plan.selection.partial:
            what = "nothing of this part is left to do"
        return f"Nothing to do: {what}{kept}."
    beside = {
        "to import": sum(1 for change in plan.changes if change.imported),
        "to move": sum(1 for change in plan.changes if change.moved_from),
    }
    counts = {verb: counted[action] for action, verb in _VERBS.items() if action is not Action.KEEP}
    # What only gets another name, or becomes known, stays as it is.
    same = sum(1 for c in plan.changes if c.action is Action.KEEP and not (c.imported or c.moved_from))
    counts |= {**beside, _VERBS[Action.KEEP]: same}
    told = ", ".join(f"{number} {verb}" for verb, number in counts.items() if number)
    costs = len(lost(plan))
    return f"{told}; data loss: {costs}" if costs else told


def failure_lines(plan: Plan, *, full: bool = False) -> list[str]:
    """Return what becomes of the plan when a step fails, and what could not be taken back then."""
    if not plan.pending or plan.policy.on_failure is OnFailure.KEEP:
        return []
    if plan.policy.on_failure is OnFailure.PAUSE:
        return ["  when a step fails: it waits for you; what does not need it goes on"]
    lost = losses(plan)
    lines = ["  when a step fails: what was done is taken back" + (", but" if lost else "")]
    lines += [
        f"        {loss.address} {loss.why}{'; it stays as it is then' if loss.whole else ''}"
        for loss in (lost if full else lost[:LOSSES])
    ]
    if not full and len(lost) > LOSSES:
        lines.append(f"        and {len(lost) - LOSSES} more")
    return lines


def next_step(plan: Plan, *, full: bool = False) -> str:
    """Return the line that says how a plan is carried out, and how all of it is seen."""
    verb = "down" if plan.destroy else "up"
    more = "" if full or not _shortened(plan) else f"      all of it: dirigent plan {plan.id} --full"
    return f"  next: dirigent {verb} {plan.id}{more}"


def _shortened(plan: Plan) -> bool:
    return any(len(changes) > ROWS[title] for title, _, changes in _groups(plan)) or any(
        len(change.differences) > DIFFERENCES for change in plan.pending
    )


def _widths(changes: Sequence[Change]) -> tuple[int, int]:
    """Return the widths of the columns of names and types: most fit, and none is absurd."""
    least, most = NAME_COLUMNS
    names = max([least, *(columns(_parted(change)[1]) for change in changes)])
    types = max([0, *(columns(change.type) for change in changes)])
    return min(most, names), min(most, types)


def _head(plan: Plan, terminal: Terminal) -> str:
    aim = "take down " if plan.destroy else f"back to {plan.rollback}: " if plan.rollback else ""
    read = f"{sum(1 for c in plan.changes if c.prior)} resources read in {plan.read_seconds:.1f}s"
    return f"{terminal.paint(f'plan {plan.id}', 'bold')}  {aim}{plan.stack}  ({read})"


def _partial(plan: Plan, terminal: Terminal) -> list[str]:
    """Return the lines that say of what a plan is a part."""
    if not plan.selection.partial:
        return []
    chosen = plan.selection
    only = [f"only {_names(chosen.targets)} and what belongs to it"] if chosen.targets else []
    without = [f"without {_names(chosen.exclude)}"] if chosen.exclude else []
    left = [f"{len(plan.left_out)} left out: {_names(plan.left_out)}"] if plan.left_out else []
    said = "; ".join([*only, *without, *left])
    return ["", f"  {terminal.paint('PARTIAL', 'yellow', 'bold')}  {said}"]


def _names(names: Sequence[str]) -> str:
    more = f" and {len(names) - NAMES} more" if len(names) > NAMES else ""
    return ", ".join(shown(name) for name in names[:NAMES]) + more


def _groups(plan: Plan) -> list[tuple[str, str, list[Change]]]:
    destructive = [c for c in danger_first(plan) if c.action in DESTRUCTIVE]
    others = [
        ("UPDATE", "yellow", [c for c in plan.changes if c.action is Action.UPDATE]),
        ("FORGET", "yellow", [c for c in plan.changes if c.action in _PARTING]),
        ("ADOPT", "blue", [c for c in plan.changes if c.action is Action.ADOPT]),
        ("IMPORT", "blue", [c for c in plan.changes if c.imported and c.action is Action.KEEP]),
        ("MOVE", "yellow", [c for c in plan.changes if c.moved_from and c.action is Action.KEEP]),
        ("READ", "blue", [c for c in plan.changes if c.action is Action.READ]),
        ("CREATE", "green", [c for c in plan.changes if c.action is Action.CREATE]),
    ]
    return [group for group in [("DESTRUCTIVE", "red", destructive), *others] if group[2]]


def _by_module(changes: Sequence[Change]) -> list[Change]:
    """Return changes with those of one module of the stack together, the stack's own first."""
    found: dict[str, list[Change]] = {"": []}
    for change in changes:
        found.setdefault(_parted(change)[0], []).append(change)
    return [change for members in found.values() for change in members]


def _parted(change: Change) -> tuple[str, str]:
    """Return the outermost module that something lies in, and its address there."""
    module, local = split_path(change.address)
    while (outer := split_path(module))[0]:
        module, local = outer[0], f"{outer[1]}/{local}"
    return module, local


def _counts(changes: Sequence[Change]) -> str:
    counted = Counter(change.action.value for change in changes)
    if len(counted) == 1:
        return str(len(changes))
    return ", ".join(f"{number} {action}" for action, number in counted.items())


def _types(changes: Sequence[Change]) -> str:
    counted = Counter(change.type for change in changes)
    return ", ".join(f"{name} x{number}" if number > 1 else name for name, number in counted.items())


def _change_lines(change: Change, terminal: Terminal, widths: tuple[int, int], *, full: bool) -> list[str]:
    sign, tint = (">", "yellow") if change.action is Action.KEEP else _SIGNS[change.action]
    name = padded(_parted(change)[1], widths[0])
    # Of a new instance and of one whose differences follow, the reason is plain.
    plain = change.action in {Action.CREATE, Action.UPDATE} and not full
    told = "" if plain and (change.differences or change.action is Action.CREATE) else change.because
    because = f"  {_marks(change, terminal)}{told}".rstrip()
    line = f"  {terminal.paint(padded(sign, 3), tint)} {name} {padded(change.type, widths[1])}{because}"
    lines = [_with_place(line, change.span, terminal)]
    if told and columns(line) > terminal.width:
        short = f"{line.removesuffix(because)}  {_marks(change, terminal)}".rstrip()
        lines = [_with_place(short, change.span, terminal), f"        {told}"]
    at = change.span
    if at is not None and not any(str(at) in each for each in lines) and change.action in DESTRUCTIVE:
        # Where what destroys is written down is never left out.
        lines.append(f"        at {terminal.paint(str(at), 'grey')}")
    if change.loses and full:
        lines.append(f"        lost for good: {shown(change.loses)}")
    if change.action is not Action.KEEP:
        lines += [f"        {told}" for told in _before(change)]
    if change.drifted:
        lines.append("        drifted: it is no longer as it was applied")
    if change.action in {Action.UPDATE, Action.REPLACE}:
        chosen = change.differences if full else change.differences[:DIFFERENCES]
        width = max((columns(d.path) for d in chosen), default=0)
        lines += [difference_line(d, width, terminal) for d in chosen]
        if len(change.differences) > len(chosen):
            lines.append(f"        and {len(change.differences) - len(chosen)} more properties")
    lines += [f"        {terminal.paint('warning', 'yellow')}: {shown(text)}" for text in change.warnings]
    return lines


def _marks(change: Change, terminal: Terminal) -> str:
    """Return what stands before a reason: that something is lost for good, that something is protected."""
    loss = [terminal.paint("data loss", "red", "bold")] if change.loses else []
    guard = [terminal.paint("protected", "yellow")] if change.protect else []
    return "".join(f"{mark}  " for mark in (*loss, *guard))


def _before(change: Change) -> list[str]:
    """Return what happens before the change itself, in words."""
    moved = [f"moved from {shown(change.moved_from)}"] if change.moved_from else []
    adopted = [f"imported as {shown(change.imported)}, then:"] if change.imported else []
    deferred = ["known only at apply: its provider hangs on another change"] if change.deferred else []
    return [*moved, *adopted, *deferred]


def difference_line(found: Difference, width: int, terminal: Terminal) -> str:
    """Return one property that changed; `width` is that of the longest path beside it."""
    forced = f"   {terminal.paint('forces replacement', 'red')}" if found.forces_replacement else ""
    before, after = _value_text(found.before), _value_text(found.after)
    line = f"        {padded(found.path, width)}  {before} -> {after}{forced}"
    if columns(line) <= terminal.width:
        return _with_place(line, found.span, terminal)
    # Too wide for one line: what was and what will be stand under each other.
    room = max(terminal.width - len(_BELOW) - 2, 1)
    head = _with_place(f"        {found.path}{forced}", found.span, terminal)
    return "\n".join([head, f"{_BELOW}- {cut(before, room)}", f"{_BELOW}+ {cut(after, room)}"])


def _with_place(line: str, at: Span | None, terminal: Terminal) -> str:
    """Return a line with its place in the document behind it, where there is room for it."""
    placed = f"{line}  {terminal.paint(str(at), 'grey')}"
    return placed if at is not None and columns(placed) <= terminal.width else line.rstrip()


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
        lines.extend(_change_lines(change, terminal, _widths(changes), full=True))
    return "\n".join([*lines, "", "  repair it with: dirigent up"])
