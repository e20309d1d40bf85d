"""What a schedule makes of an event: nothing, a part of what is needed, or all of it.

Law: a turn that is made again finds the same, for it judges the same event against what the journal tells.
"""

from __future__ import annotations

from collections.abc import Sequence

from dirigent.core.events.gathering import Arrival, Gathering, Group, Step, Taken, condition, gathered
from dirigent.core.events.matching import closes, plain
from dirigent.core.render import Asking, RenderFailed, render
from dirigent.engine.events.judging import judged
from dirigent.model.events.listening import Event, Strategy
from dirigent.model.ids import RunId
from dirigent.model.record import dataclass
from dirigent.model.run.journal import Fact
from dirigent.model.values import Expression, Value
from dirigent.ports import Journal, Language, Oracle


@dataclass(frozen=True, slots=True)
class Turn:
    """What became of an event. `complete` are the events of each run to start, `open` the groups that began.

    `taken` is to be recorded; None where each event suffices by itself. `lost` counts groups that were
    forgotten since the run of the schedule began.
    """

    complete: tuple[Sequence[Event], ...]
    taken: Taken | None = None
    open: int = 0
    lost: int = 0


@dataclass(frozen=True, slots=True)
class Gatherer:
    """Judges events for schedules, from their journals."""

    journal: Journal
    language: Language
    oracle: Oracle

    async def turn(self, run: RunId, strategy: Strategy, arrival: Arrival) -> Turn:
        """Return what becomes of an event that was heard."""
        if strategy.alone:
            return Turn(((arrival.event,),))
        gathering, _ = gathered(plain(strategy), await self.journal.read(run))
        taken = await self._judge(gathering, strategy, arrival)
        before = gathering.lost
        complete = gathering.take(arrival, taken)
        return Turn(
            tuple(group.events for group in complete),
            taken,
            len(gathering.groups),
            gathering.lost - before,
        )

    async def _judge(self, gathering: Gathering, strategy: Strategy, arrival: Arrival) -> Taken:
        """Offer an event to the groups in the order in which they began; it counts for one of them."""
        steps: list[Step] = []
        fired: list[int] = []
        counted = False
        for number, group in sorted(gathering.groups.items()):
            found = await judged(group.want, arrival.event, self.language, self.oracle)
            if found is None or (counted and not closes(group.want, found)):
                continue
            counted = counted or not closes(group.want, found)
            steps.append(Step(number, found))
            if await self._is_complete(group.taking(found, arrival), strategy):
                fired.append(number)
        if not steps:
            want, number = gathering.initial, gathering.following
            found = await judged(want, arrival.event, self.language, self.oracle)
            # What would end a group begins none.
            if found is not None and not closes(want, found):
                steps.append(Step(number, found))
                if await self._is_complete(Group(want).taking(found, arrival), strategy):
                    fired.append(number)
        return Taken(tuple(steps), tuple(fired))

    async def _is_complete(self, group: Group, strategy: Strategy) -> bool:
        until = condition(strategy)
        return group.complete or (until is not None and await self._holds(until, list(group.events)))

    async def _holds(self, until: Expression, events: Value) -> bool:
        """Return whether a condition is true; one that fails is not."""
        try:
            found = render(until, events, {}, self.language)
            if isinstance(found, Asking):
                found = render(until, events, {}, self.language, await self.oracle.answer(found.questions))
        except RenderFailed:
            return False
        return found is True


def carried(strategy: Strategy, facts: Sequence[Fact], state: Value) -> dict[str, Value]:
    """Return from where another run goes on with a schedule: its facts, and the output of its last turn."""
    gathering, pending = gathered(plain(strategy), facts)
    if pending is not None:
        gathering.take(pending, Taken.of_value(state.get("took") if isinstance(state, dict) else None))
    return gathering.as_value()
