"""Ephemeral values are never stored: here they are refused wherever they would be.

What a provider's resources may take of them only their provider knows (E3045).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from dirigent.model.problem import Problem, Refusal
from dirigent.model.source import Span
from dirigent.model.values import OPENED, Expression, SecretRef, SecretText, Template, Value, leaves
from dirigent.planning.decide import Case
from dirigent.planning.values.difference import joined, span_of
from dirigent.planning.values.evaluate import Rendered

_REMEDY: Final = (
    "give it to a provider, in its configuration or in a write-only attribute",
    "or take the value from a secret of the stack: `$secrets.NAME`",
)


def refuse_kept(cases: Iterable[Case]) -> None:
    """Raise `Refusal` (E2027) with every ephemeral value in a type of ours, or that decides a replacement."""
    problems: list[Problem] = []
    for case in cases:
        resource = case.instance.resource
        kept = [] if resource.provider else [*_paths(case.value)]
        for path in dict.fromkeys(kept):
            at = span_of(path, resource.spans) or resource.span
            problems.append(_refused(f"`{path}` of `{case.instance.address}`", at))
        if any(_paths(case.triggers.value)):
            at = resource.spans.get("lifecycle.replace-when") or resource.span
            problems.append(_refused(f"`replace-when` of `{case.instance.address}`", at))
    if problems:
        raise Refusal(problems)


def refuse_shown(templates: Mapping[str, Template], outputs: Mapping[str, Rendered]) -> None:
    """Raise `Refusal` (E2028) with every output that holds an ephemeral value."""
    problems = [
        Problem(
            "E2028",
            f"the output `{name}` would show an ephemeral value, which is gone when it is looked at",
            at=_place(templates[name]),
            help=("take it out; who needs it opens it: `open` in their own stack",),
        )
        for name, rendered in outputs.items()
        if any(_paths(rendered.value))
    ]
    if problems:
        raise Refusal(problems)


def _refused(what: str, at: Span | None) -> Problem:
    return Problem("E2027", f"{what} would keep an ephemeral value, which is never stored", at, help=_REMEDY)


def _paths(value: Value) -> Iterator[str]:
    """Yield the path of every ephemeral value within a value."""
    pending: list[tuple[list[str | int], Value]] = [([], value)]
    while pending:
        path, node = pending.pop()
        match node:
            case SecretText(parts=parts):
                if any(isinstance(each, SecretRef) and each.name.startswith(OPENED) for each in parts):
                    yield joined(path) or "the value"
            case list():
                pending.extend(([*path, at], each) for at, each in enumerate(node))
            case dict():
                pending.extend(([*path, name], each) for name, each in node.items())
            case _:
                pass


def _place(template: Template) -> Span | None:
    return next((leaf.span for leaf in leaves(template) if isinstance(leaf, Expression)), None)
