"""JSON values, the two things that JSON cannot hold, and templates.

A secret is a reference until an adapter sends it: `SecretText` travels through expressions, facts
and plans as names only. It is a class, not a marked string, so no data from outside can forge one.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, TypeAlias

from dirigent.model.record import dataclass
from dirigent.model.source import Span


@dataclass(frozen=True, slots=True)
class SecretRef:
    """The name under which the stack or the workflow declares a secret."""

    name: str


# How the reference of a sensitive value of a resource begins: what follows is the value itself, encrypted.
SEALED: Final = "sealed:"

# How the reference of an ephemeral value begins: what follows says how a provider opens it, encrypted.
OPENED: Final = "opened:"


@dataclass(frozen=True, slots=True)
class SecretText:
    """A string with secrets in it: literal parts and references, in order."""

    parts: tuple[str | SecretRef, ...]

    def __str__(self) -> str:
        """Return the only text form that may be shown."""
        return "".join(p if isinstance(p, str) else _shown(p.name) for p in self.parts)


def _shown(name: str) -> str:
    if name.startswith(OPENED):
        return "(ephemeral)"
    return "(sensitive)" if name.startswith(SEALED) else f"(secret {name})"


@dataclass(frozen=True, slots=True)
class Unknown:
    """A value of a plan that is known only after `needs` have been applied."""

    needs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Expression:
    """The jq text between `${` and `}`; `span` is the place of that text."""

    text: str
    span: Span | None = None


@dataclass(frozen=True, slots=True)
class UriTemplate:
    """A URI with `{name}` in it, expanded from scalar members of the task's input (RFC 6570, level 1)."""

    text: str
    span: Span | None = None


Scalar: TypeAlias = bool | int | float | str | None
Value: TypeAlias = "Scalar | SecretText | Unknown | list[Value] | dict[str, Value]"
Template: TypeAlias = (
    "Scalar | SecretText | Unknown | Expression | UriTemplate | list[Template] | dict[str, Template]"
)

Leaf: TypeAlias = Expression | UriTemplate

SCALARS: Final = frozenset((str, int, float, bool, type(None)))

# The reference that stands for the parameter of a task's own authorisation, a token say. No document can
# declare a secret of that name.
AUTHORIZATION: Final = "$authorization"

NOTHING: Final[dict[str, Value]] = {}


def leaves(template: Template) -> Iterator[Leaf]:
    """Yield the expressions and URI templates of a template, in document order, without recursion."""
    levels: list[Iterator[Template]] = [iter((template,))]
    while levels:
        for node in levels[-1]:
            if type(node) in SCALARS:
                continue  # By identity of the class: this is asked of every value of every template.
            if isinstance(node, Expression | UriTemplate):
                yield node
            elif isinstance(node, dict):
                levels.append(iter(node.values()))
                break
            elif isinstance(node, list):
                levels.append(iter(node))
                break
        else:
            levels.pop()


def has_unknown(value: Value) -> bool:
    """Return whether any part of a value is known only later."""
    return holds(value, (Unknown,))


def holds(value: Value, kinds: tuple[type, ...]) -> bool:
    """Return whether a value is of one of these classes, or anything in it is; without recursion."""
    stack: list[Value] = [value]
    while stack:
        node = stack.pop()
        if isinstance(node, kinds):
            return True
        if isinstance(node, list):
            stack.extend(node)
        elif isinstance(node, dict):
            stack.extend(node.values())
    return False
