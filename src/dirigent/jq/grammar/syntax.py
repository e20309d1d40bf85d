"""The tree of an expression. Chains are flat (tuples), so only brackets and keywords nest.

Bound variables have been given names of their own by the parser (`x#1`); free ones keep theirs.
`Foreign` stands for everything that only the worker can evaluate.
"""

from __future__ import annotations

from typing import TypeAlias

from dirigent.model.record import dataclass
from dirigent.model.values import Value


@dataclass(frozen=True, slots=True)
class Identity:
    """The dot."""


@dataclass(frozen=True, slots=True)
class Literal:
    """A number, a string without interpolation, `null`, `true`, `false`."""

    value: Value


@dataclass(frozen=True, slots=True)
class Text:
    """A string with interpolation; `format` (`@base64`) is applied to each part that is not literal."""

    format: str
    parts: tuple[str | Node, ...]


@dataclass(frozen=True, slots=True)
class Variable:
    """`$name`."""

    name: str


@dataclass(frozen=True, slots=True)
class Member:
    """`.name`, `."name"`, `["name"]` with a constant name."""

    name: str
    optional: bool = False


@dataclass(frozen=True, slots=True)
class At:
    """`[key]`; the key is evaluated against the dot of the whole path."""

    key: Node
    optional: bool = False


@dataclass(frozen=True, slots=True)
class Part:
    """`[start:end]`."""

    start: Node | None
    end: Node | None
    optional: bool = False


@dataclass(frozen=True, slots=True)
class Each:
    """`[]`."""

    optional: bool = False


Step: TypeAlias = Member | At | Part | Each


@dataclass(frozen=True, slots=True)
class Path:
    """A term and the steps that are taken from it."""

    origin: Node
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Attempt:
    """`try body catch rescue`, or `body?`."""

    body: Node
    rescue: Node | None = None


@dataclass(frozen=True, slots=True)
class Collect:
    """`[body]`."""

    body: Node | None


@dataclass(frozen=True, slots=True)
class Make:
    """`{key: value, ...}` with every shorthand written out."""

    entries: tuple[tuple[Node, Node], ...]


@dataclass(frozen=True, slots=True)
class Negate:
    """`-body`."""

    body: Node


@dataclass(frozen=True, slots=True)
class Chain:
    """`first + a - b` or `first * a / b`: operators of one level, from the left."""

    first: Node
    rest: tuple[tuple[str, Node], ...]


@dataclass(frozen=True, slots=True)
class Compare:
    """`left == right` and the five others."""

    operator: str
    left: Node
    right: Node


@dataclass(frozen=True, slots=True)
class Logic:
    """`a and b and c`, or the same with `or`."""

    operator: str
    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Alternative:
    """`a // b // c`."""

    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Comma:
    """`a, b, c`."""

    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Pipe:
    """`a | b | c`."""

    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class If:
    """`if a then b elif c then d else e end`."""

    branches: tuple[tuple[Node, Node], ...]
    otherwise: Node | None


@dataclass(frozen=True, slots=True)
class Bind:
    """`source as $name | body`."""

    source: Node
    name: str
    body: Node


@dataclass(frozen=True, slots=True)
class Format:
    """`@base64` as a function."""

    name: str


@dataclass(frozen=True, slots=True)
class Call:
    """`name` or `name(argument; argument)`."""

    name: str
    arguments: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Foreign:
    """Valid jq for the worker."""


Construction: TypeAlias = Text | Collect | Make | Format
Calculation: TypeAlias = Negate | Chain | Compare | Logic | Alternative
Control: TypeAlias = Comma | Pipe | If | Bind | Attempt
Node: TypeAlias = Identity | Literal | Variable | Path | Call | Foreign | Construction | Calculation | Control
