"""What is known of checks while a plan is made: whether they hold, and what they have seen.

A condition that looks at anything that is not known yet is left to the run.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Final

from dirigent.model.plan import Checked
from dirigent.model.problem import Problem, Refusal
from dirigent.model.record import dataclass
from dirigent.model.resource import Check
from dirigent.model.stack import Stack
from dirigent.model.values import Expression, Template, Unknown, Value, has_unknown
from dirigent.planning.request import Asking
from dirigent.planning.values.evaluate import Job, Scope, render_all, without_unknown
from dirigent.ports import Compiled, Language

SELF: Final = "self"
SEEN_PATHS: Final = 6
_SHOWN_CHARACTERS: Final = 80
_LATER: Final = "(what it says is known only at apply)"


@dataclass(frozen=True, slots=True)
class Asked:
    """One check where it is asked: of `owner`, in a scope, with variables of its own beside it."""

    check: Check
    owner: str
    scope: Scope
    own: Mapping[str, Value]


def ask(asked: Sequence[Asked], language: Language) -> Asking[list[Checked]]:
    """Return what is known of checks.

    Raises:
        Refusal: with every condition that has no value (E2004), or one that is no condition (E2026).
    """
    compiled = [language.compile(each.check.that.text) for each in asked]
    early = [not _waits(each, code) for each, code in zip(asked, compiled, strict=True)]
    ready = [number for number, known in enumerate(early) if known]
    values = yield from _values([(asked[n], compiled[n], asked[n].check.that) for n in ready], language)
    found: list[Checked] = []
    problems: list[Problem] = []
    results: Iterator[Value] = iter(values)
    for each, code, known in zip(asked, compiled, early, strict=True):
        value: Value = next(results) if known else Unknown()
        checked = Checked(each.check, sees=_paths(code))
        if has_unknown(value):
            found.append(checked)
        elif isinstance(value, bool):
            found.append(replace(checked, holds=value, seen={} if value else _seen(each, code)))
        else:
            problems.append(_unfit(each, value))
    if problems:
        raise Refusal(problems)
    return (yield from _with_words(asked, found, language))


def words_of(checked: Checked) -> str:
    """Return what a check says that does not hold."""
    return str(checked.message)


def seen_text(seen: Mapping[str, Value]) -> str:
    """Return the values that a condition has seen, in short; secrets by their names."""
    return ", ".join(f"{path} = {_shown(value)}" for path, value in seen.items())


def _shown(value: Value) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= _SHOWN_CHARACTERS else f"{text[:_SHOWN_CHARACTERS]}…"


def _values(
    jobs: Sequence[tuple[Asked, Compiled | None, Template]], language: Language
) -> Asking[list[Value]]:
    rendered = yield from render_all(
        [Job(template, each.scope, _own(each, code)) for each, code, template in jobs], language
    )
    return [each.value for each in rendered]


def _own(asked: Asked, compiled: Compiled | None) -> Mapping[str, Value]:
    """Return its own variables; the worker sees no value that is not known, for nobody looks there."""
    if compiled is None or compiled.local or SELF not in asked.own:
        return asked.own
    return {**asked.own, SELF: without_unknown(asked.own[SELF])}


def _waits(asked: Asked, compiled: Compiled) -> bool:
    """Return whether what only the worker can evaluate looks at something of `$self` that is not known."""
    if compiled.local:
        return False
    mine = (path for path in compiled.paths if path[0] == SELF)
    return any(has_unknown(_at(asked.own, path)) for path in mine)


def _with_words(asked: Sequence[Asked], found: list[Checked], language: Language) -> Asking[list[Checked]]:
    """Return the checks with what those say that do not hold."""
    failed = [number for number, each in enumerate(found) if each.holds is False]
    for number in failed:
        words = yield from _words(asked[number], language)
        found[number] = replace(found[number], message=_LATER if has_unknown(words) else words)
    return found


def _words(asked: Asked, language: Language) -> Asking[Value]:
    message = asked.check.message
    try:
        code = language.compile(message.text) if isinstance(message, Expression) else None
        if code is not None and _waits(asked, code):
            return Unknown()
        (words,) = yield from _values([(asked, code, message)], language)
    except Refusal as refusal:
        return "; ".join(problem.message for problem in refusal.problems)
    return words


def _unfit(asked: Asked, value: Value) -> Problem:
    whose = f"the check `{asked.check.name}`" if asked.check.name else f"a check of `{asked.owner}`"
    return Problem(
        "E2026",
        f"the condition of {whose} gave `{_shown(value)}`, neither true nor false",
        at=asked.check.that.span,
        help=("compare it with something: `${ ... != null }`, `${ ... > 0 }`",),
    )


def _paths(compiled: Compiled) -> tuple[str, ...]:
    """Return what a condition looks at, as expressions, each as far as its path is constant."""
    found: dict[str, None] = {}
    for path in sorted(compiled.paths, key=lambda path: tuple(step or "" for step in path)):
        known = _constant(path)
        # A resource as a whole, or all inputs, would say nothing.
        if len(known) > (2 if known[0] == "resources" else 1):
            found[_written(known)] = None
    return tuple(found)[:SEEN_PATHS]


def _constant(path: Sequence[str | None]) -> tuple[str, ...]:
    steps: list[str] = []
    for step in path:
        if step is None:
            break
        steps.append(step)
    return tuple(steps)


def _written(path: Sequence[str]) -> str:
    steps = (
        f".{step}" if step.isidentifier() and step.isascii() else f"[{json.dumps(step)}]" for step in path[1:]
    )
    return f"${path[0]}{''.join(steps)}"


def _seen(asked: Asked, compiled: Compiled) -> dict[str, Value]:
    """Return what a condition has looked at."""
    variables = {**asked.scope.variables, **asked.own}
    wanted = frozenset(_paths(compiled))
    found: dict[str, Value] = {}
    for path in sorted(compiled.paths, key=lambda path: tuple(step or "" for step in path)):
        known = _constant(path)
        value = _at(variables, known)
        if _written(known) in wanted and not has_unknown(value):
            found[_written(known)] = value
    return found


def _at(variables: Mapping[str, Value], path: Sequence[str | None]) -> Value:
    value: Value = variables.get(path[0] or "")
    for step in path[1:]:
        if step is None or not isinstance(value, dict):
            return value
        value = value.get(step)
    return value


def unchecked(stack: Stack) -> Stack:
    """Return a stack without its checks, for who only wants to look. Modules nest as deep as limits allow."""
    resources = {name: replace(each, checks=()) for name, each in stack.resources.items()}
    modules = {name: replace(each, stack=unchecked(each.stack)) for name, each in stack.modules.items()}
    return replace(stack, resources=resources, modules=modules, checks=())
