"""Checks are read: of one resource, which may see it as `$self` afterwards, and of the stack as a whole."""

from __future__ import annotations

from dataclasses import replace

from dirigent.lang.shape import shortened
from dirigent.lang.stack.expressions import template
from dirigent.lang.stack.mentions import Use
from dirigent.lang.stack.reading import Reading, mapping_of, text_of
from dirigent.lang.tree import Items, Members
from dirigent.model.resource import Check
from dirigent.model.values import Expression
from dirigent.ports import ExpressionFailed

_DECIDES = "a check"


def read_checks(reading: Reading, entry: Members, use: Use) -> tuple[Check, ...]:
    """Return the checks of a resource; what they mention is noted in `use`."""
    found: list[Check] = []
    parts = mapping_of(entry.get("checks"))
    for part in parts or ():
        for item in part.node.items if isinstance(part.node, Items) else ():
            body = mapping_of(item)
            if body is not None and part.key in {"before", "after"}:
                before = part.key == "before"
                check = _check(reading, body, replace(use, self_seen=not before))
                found += [replace(check, before=before)] if check is not None else []
    return tuple(found)


def read_stack_checks(reading: Reading, found: Members | None) -> tuple[Check, ...]:
    """Return the checks of a stack, each with its name."""
    checks: list[Check] = []
    for member in found or ():
        body = mapping_of(member.node)
        use = Use(f"the check `{member.key}`")
        check = _check(reading, body, use) if body is not None else None
        checks += [replace(check, name=member.key, warns=True)] if check is not None else []
    return tuple(checks)


def _check(reading: Reading, body: Members, use: Use) -> Check | None:
    that = template(reading, body.get("that"), replace(use, decides=_DECIDES))
    message = template(reading, body.get("message"), use)
    if not isinstance(that, Expression):
        return None
    _warn_idle(reading, that)
    return Check(that, message, warns=text_of(body.get("on-failure")) == "warn")


def _warn_idle(reading: Reading, that: Expression) -> None:
    """Warn of a condition that looks at nothing (W1436)."""
    try:
        compiled = reading.context.language.compile(that.text)
    except ExpressionFailed:
        return  # It is reported already.
    if not compiled.variables and that.span is not None:
        reading.complain(
            "W1436",
            f"the condition `{shortened(that.text)}` looks at nothing, so it is always the same",
            that.span,
            "no variable in it",
            "look at `$self`, `$inputs` or `$resources`, or take the check out",
        )
