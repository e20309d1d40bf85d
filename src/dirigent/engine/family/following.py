"""Children follow their parents: who waits for a run suspends and resumes it with itself.

Law 1: nothing is said to a child before it is durable with its parent, and each word is taken once.
Law 2: an engine that opens says it again, so no crash parts them; a child that a person suspended stays so.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import field, replace
from typing import Final, TypeAlias

from dirigent.core.machine import Run
from dirigent.core.status import Status
from dirigent.engine.crew import Crew
from dirigent.model.ids import RunId, child_run
from dirigent.model.problem import Refusal
from dirigent.model.record import dataclass
from dirigent.model.run.journal import Ended, Fact, Resumed, Suspended
from dirigent.ports import Clock

FUNCTION: Final = "workflow"
_HEARD: Final = frozenset((Suspended, Resumed, Ended))
Word: TypeAlias = tuple[int, Suspended | Resumed]
"""What was last said to a run, and the number of that fact."""


@dataclass(slots=True, eq=False)
class Following:
    """Passes on to children what their parents were told. `tell` puts a fact into a run."""

    crew: Crew
    clock: Clock
    tell: Callable[[RunId, Fact], Awaitable[None]]
    _words: dict[RunId, Word] = field(default_factory=dict)

    def take_up(self, run: Run) -> None:
        """Learn of a run that an engine before this one was told something."""
        if run.halted is not None:
            self._words[run.id] = run.halted
            self._pass_on(run)

    def hear(self, run: Run, first: int, facts: Sequence[Fact]) -> None:
        """Learn from what is durable now; the run had `first` facts before."""
        if _HEARD.isdisjoint(map(type, facts)):
            return
        for number, fact in enumerate(facts, start=first + 1):
            match fact:
                case Suspended() | Resumed(queue=""):
                    self._words[run.id] = (number, fact)
                    self._pass_on(run)
                case Ended():
                    self._words.pop(run.id, None)
                case _:
                    pass

    async def follow(self, parent: RunId, child: RunId) -> None:
        """Have a child do what its parent was told last, if anything."""
        said = 0
        while (word := self._words.get(parent)) is not None and word[0] != said:
            said, fact = word
            # One that is not there yet, is over, or was told already has nothing to do.
            with suppress(Refusal):
                await self.tell(child, replace(fact, at=self.clock.now(), follows=said))

    def _pass_on(self, run: Run) -> None:
        for child in awaited(run):
            self.crew.act(self.follow(run.id, child))


def awaited(run: Run) -> Iterator[RunId]:
    """Yield the children that a run waits for."""
    for (_, attempt, _), ask in run.asks.items():
        waits = ask.call is not None and ask.call.function == FUNCTION and ask.status is Status.UNDER_WAY
        request = ask.request
        detached = isinstance(request, dict) and request.get("await") is False
        if waits and ask.frame is not None and ask.effect is not None and not detached:
            yield child_run(ask.effect, attempt)
