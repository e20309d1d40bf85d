"""What a person sees of checks: of a plan, as far as it knows, and of a run, as its journal has it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import field

from dirigent.model.ids import Position
from dirigent.model.plan import Checked, Plan
from dirigent.model.record import dataclass
from dirigent.model.run.journal import Fact, Intended
from dirigent.model.source import Span, span_of
from dirigent.model.values import Value

END = "end"


@dataclass(frozen=True, slots=True)
class CheckView:
    """One check. `owner` is the address that it is about, or its name, where it is one of the stack.

    `when` is before, after or end; `holds` None means that it is known only at apply. `message` says what is
    wrong where it does not hold, `seen` what it has looked at.
    """

    owner: str
    when: str
    that: str
    holds: bool | None
    warns: bool
    message: str = ""
    seen: dict[str, Value] = field(default_factory=dict)
    at: Span | None = None


def of_plan(made: Plan) -> tuple[CheckView, ...]:
    """Return the checks of a plan: those of its instances first, in its order."""
    own = (
        _planned(str(change.address), "before" if each.check.before else "after", each)
        for change in made.changes
        for each in change.checks
    )
    return (*own, *(_planned(each.name, END, each) for each in made.checks))


def _planned(owner: str, when: str, checked: Checked) -> CheckView:
    check = checked.check
    return CheckView(
        owner,
        when,
        check.that.text,
        checked.holds,
        check.warns,
        str(checked.message) if checked.holds is False else "",
        checked.seen,
        check.that.span,
    )


def of_run(facts: Sequence[Fact]) -> tuple[CheckView, ...]:
    """Return the checks that a run has asked, in the order in which it first did."""
    asked: dict[Position, Value] = {
        fact.position: fact.request for fact in facts if isinstance(fact, Intended)
    }
    return tuple(view for request in asked.values() for view in _asked(request))


def _asked(request: Value) -> Iterator[CheckView]:
    """Yield the checks of a request, as `planning.safety.asking` writes it."""
    match request:
        case {"action": "check", "address": str(owner), "when": str(when), "checks": list(checks)}:
            for each in checks:
                if isinstance(each, dict):
                    yield _answered(owner or str(each.get("name")), when, each)
        case _:
            pass


def _answered(owner: str, when: str, check: dict[str, Value]) -> CheckView:
    that, seen, text = check.get("that"), check.get("seen"), str(check.get("condition"))
    words = "" if that is True else str(check.get("message"))
    if not isinstance(that, bool):
        words = "its condition gave neither true nor false"
    return CheckView(
        owner,
        when,
        text,
        that is True,
        check.get("warns") is True,
        words,
        seen if isinstance(seen, dict) else {},
        span_of(check.get("at")),
    )
