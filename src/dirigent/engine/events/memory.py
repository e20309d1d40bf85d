"""Up to where a task that listens has seen the log. Law: what is forgotten here is only read again."""

from __future__ import annotations

import re
from dataclasses import field
from typing import Final

from dirigent.engine.events.index import Key, is_schedule
from dirigent.model.events.listening import Listener, Place, Want
from dirigent.model.ids import Position, RunId
from dirigent.model.record import dataclass

START: Final[Place] = (0, 0)
REMEMBERED: Final = 10_000

# What tells the activations of a task apart: a visit by a jump, an iteration.
_ACTIVATION: Final = re.compile(r"~\d+(?=/|$|\[)|\[\d+\]", re.ASCII)


@dataclass(slots=True, eq=False)
class Memory:
    """What each task wanted last, and the place of the event that it took then."""

    _taken: dict[Key, tuple[Want, Place]] = field(default_factory=dict)

    def behind(self, listener: Listener) -> Place:
        """Return up to where a listener has seen the log: what it took last, if it wants the same."""
        known = self._taken.get(_task_of(listener))
        return known[1] if known is not None and known[0] == listener.want else START

    def forget(self, run: RunId) -> None:
        """Forget what a run took: what it was at when it was told to end is for another."""
        name = _name_of(run)
        for task in [task for task in self._taken if task[0] == name] if is_schedule(run) else ():
            del self._taken[task]

    def keep(self, listener: Listener, place: Place) -> None:
        """Note what a listener took. The oldest note goes when there are too many."""
        task = _task_of(listener)
        self._taken.pop(task, None)
        self._taken[task] = listener.want, place
        if len(self._taken) > REMEMBERED:
            del self._taken[next(iter(self._taken))]


def _task_of(listener: Listener) -> Key:
    """Return the task of a listener, whichever activation of it listens, and whichever run of a schedule."""
    return _name_of(listener.run), Position(_ACTIVATION.sub("", listener.position))


def _name_of(run: RunId) -> RunId:
    """Return what all runs have in common that go on with one schedule, one after the other."""
    return RunId(run.rpartition("/")[0]) if is_schedule(run) else run
