"""How providers are configured: by templates of the stack, which may hang on other resources.

A plan sees two states of a configuration: as the world stands now, for looking at it and for taking down
what nothing declares any more; and as it will be, for what is declared.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from dirigent.model.problem import Problem
from dirigent.model.resource import Resource
from dirigent.model.stack import Stack
from dirigent.model.values import Template, Unknown, Value
from dirigent.planning.expand import is_counted, is_keyed
from dirigent.planning.request import Asking
from dirigent.planning.values.evaluate import Rendered, Scope, render
from dirigent.ports import Language

Setups = Mapping[str, dict[str, Value]]
"""The configuration of each provider, by its name; it holds `Unknown` where it is not known yet."""


def setups_of(
    stack: Stack, names: Iterable[str], scope: Scope, language: Language
) -> Asking[dict[str, Rendered]]:
    """Return the configuration of some providers, in a scope. Raises `Refusal` (E2004)."""
    wanted = list(dict.fromkeys(names))
    rendered = yield from render([(stack.providers[name].config, {}) for name in wanted], scope, language)
    return dict(zip(wanted, rendered, strict=True))


def undeclared(address: str, provider: str) -> Problem:
    """Return the problem of a row whose provider the stack no longer declares."""
    return Problem(
        "E2047",
        f"`{address}` is managed by the provider `{provider}`, which the stack does not declare",
        help=(f"declare `{provider}` under `providers` until `{address}` is gone",),
    )


def members_of(value: Value) -> dict[str, Value]:
    """Return the members of a value that is known to be an object."""
    return value if isinstance(value, dict) else {}


def templates_of(template: Template) -> dict[str, Template]:
    """Return the members of a template that is known to be an object."""
    return template if isinstance(template, dict) else {}


def absent(resource: Resource) -> Value:
    """Return what a resource without a row looks like."""
    if is_counted(resource):
        return []
    return {} if is_keyed(resource) else Unknown((resource.name,))
