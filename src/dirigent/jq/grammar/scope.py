"""Which names an expression uses from outside, and which it binds itself.

Every binding gets a name that no expression can write (`x#1`), so no name can capture another.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from dirigent.jq.names import FOREIGN, REFUSED
from dirigent.ports import ExpressionFailed


class Scope:
    """What the parser knows about names at one point; `free`, `references`, `paths` collect what it meets."""

    def __init__(self) -> None:
        """Begin with nothing bound."""
        self.free: set[str] = set()
        self.references: set[tuple[str, str | None]] = set()
        self.paths: set[tuple[str | None, ...]] = set()
        self._bound: list[tuple[str, str]] = []
        self._functions: set[str] = set()
        self._made = 0

    @contextmanager
    def binding(self, names: Sequence[str]) -> Iterator[list[str]]:
        """Bind names for the length of a body and yield the names that they have inside."""
        before = len(self._bound)
        for name in names:
            if name.startswith("__"):
                raise ExpressionFailed(f"`${name}` is reserved: names must not begin with two underscores")
            self._made += 1
            self._bound.append((name, f"{name}#{self._made}"))
        yield [inner for _, inner in self._bound[before:]]
        del self._bound[before:]

    def resolve(self, name: str) -> str:
        """Return the name to look up: the same for a free variable, an inner one for a bound one."""
        for bound, inner in reversed(self._bound):
            if bound == name:
                return inner
        if name == "ENV":
            raise ExpressionFailed(f"`$ENV` is not available: {REFUSED['env']}")
        if name.startswith("__"):
            raise ExpressionFailed(f"`${name}` is not available: names with two underscores are reserved")
        return name

    def note(self, name: str, steps: tuple[str | None, ...]) -> None:
        """Note that a free variable is used, and which steps are taken from it, None for one not constant."""
        self.free.add(name)
        self.references.add((name, steps[0] if steps else None))
        self.paths.add((name, *steps))

    def define(self, name: str) -> None:
        """Note a function of the expression's own; it may be called from here on."""
        self._functions.add(name)

    def defined(self, name: str) -> bool:
        """Return whether the expression defines a function of this name."""
        return name in self._functions

    def foreign(self, name: str, arity: int) -> bool:
        """Return whether only the worker knows this function; refuse what nobody may call."""
        if name in self._functions:
            return True
        if name in REFUSED:
            raise ExpressionFailed(f"`{name}` is not available: {REFUSED[name]}")
        return f"{name}/{arity}" in FOREIGN
