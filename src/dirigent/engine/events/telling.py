"""Runs tell of their lives, to whom wants to know: their lifecycle events go into the log with their facts.

Law: while nobody wants one nothing is noted. What is told is a function of the journal, so it is no fact.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import field

from dirigent.core.events import lifecycle
from dirigent.core.events.noting import phase_of
from dirigent.core.machine import Run
from dirigent.model.events.cursor import Cursor
from dirigent.model.events.listening import Tell
from dirigent.model.record import dataclass


@dataclass(slots=True, eq=False)
class Wants:
    """Which lifecycle events the sinks of a store want. Several engines of a process share one."""

    types: frozenset[str] = frozenset()

    def renew(self, cursors: Iterable[Cursor]) -> None:
        """Learn which sinks there are."""
        found = list(cursors)
        self.types = frozenset(
            kind for kind in lifecycle.TYPES if any(each.wants_type(kind) for each in found)
        )


@dataclass(slots=True, eq=False)
class Telling:
    """Notes what happens to runs, and makes events of it. `asked` are types that tasks listen for."""

    wants: Wants
    asked: Callable[[], frozenset[str]]
    _phases: dict[str, str] = field(default_factory=dict)

    @property
    def types(self) -> frozenset[str]:
        """Return the types of events that somebody wants."""
        asked = self.asked()
        return self.wants.types | asked if asked else self.wants.types

    def note(self, run: Run) -> None:
        """Have what happens to a run noted from now on, until it is told; or not, when nobody wants it."""
        if run.program.kind == "workflow" and (self.wants.types or self.asked()):
            if run.told is None:
                run.told = []
                self._phases[run.id] = phase_of(run)
        elif run.told is not None:
            self._forget(run)

    def told(self, run: Run, place: int) -> list[Tell]:
        """Return what happened to a run since it was noted, as events that go with the facts at a place."""
        happened, before = run.told, self._phases.get(run.id, "")
        if happened is None:
            return []
        self._forget(run)
        if not happened:
            return []
        teller = lifecycle.Teller(run.program, run.id, place)
        return teller.events(happened, self.types, (before, phase_of(run)))

    def _forget(self, run: Run) -> None:
        run.told = None
        self._phases.pop(run.id, None)
