"""Commands are obeyed here: each begins, and what comes of it arrives at its run.

Whatever a command needs, its record is durable by now.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import field
from functools import partial
from typing import TypeAlias, assert_never

from dirigent.engine.crew import Crew
from dirigent.engine.effects import FOUND_AGAIN, Effects
from dirigent.engine.live import Arrival, Doing, Live
from dirigent.engine.queues import Queues
from dirigent.engine.timers import Timers
from dirigent.model.ids import Position
from dirigent.model.record import dataclass
from dirigent.model.run.command import Abandon, Command, Compute, Finish, FireAt, Note, Perform, SetTimer
from dirigent.model.run.journal import Fact
from dirigent.model.run.ticket import Ticket

Effect: TypeAlias = Callable[[], Awaitable[Sequence[Fact]]]


@dataclass(slots=True, eq=False)
class Acting:
    """Begins effects, questions and timers. `come` turns a run at which something arrived of an effect.

    `risky` are tasks of effects that the next engine could only guess about.
    """

    effects: Effects
    timers: Timers
    queues: Queues
    crew: Crew
    come: Callable[[Live], None]
    risky: set[asyncio.Task[None]] = field(default_factory=set)

    def obey(self, live: Live, command: Command, doubtful: Collection[tuple[Position, int]]) -> None:
        """Begin what a command asks for. `doubtful` are the effects that an earlier engine may have begun."""
        match command:
            case Perform(ticket=Ticket(), intended=False):
                self.queues.ask(live.run.id, command)
            case Perform(position=position, attempt=attempt):
                self._perform(live, command, doubtful=(position, attempt) in doubtful)
            case Compute(position=position, attempt=attempt, slot=slot):
                self._dispatch(live, (position, attempt, slot), partial(self.effects.compute, command))
            case Abandon():
                self._abandon(live, command)
            case FireAt(until=until):
                self.timers.alarm(live.run.id, until)
            case SetTimer() | Note() | Finish():
                raise AssertionError(f"{type(command).__name__} is a record, not an action")
            case _:
                assert_never(command)

    def _perform(self, live: Live, command: Perform, *, doubtful: bool) -> None:
        """Do an effect: on the spot when its performer can, else in a task of its own."""
        doing = (command.position, command.attempt, "effect")
        if doing in live.tasks:
            return  # A run that is resumed asks again for what is under way.
        facts = self.effects.answer(live.run, command, doubtful=doubtful)
        if facts is not None:
            live.arrived.append(Arrival(facts))
            return
        self._dispatch(live, doing, partial(self.effects.perform, live.run, command, doubtful=doubtful))
        if command.function not in FOUND_AGAIN:
            task = live.tasks[doing]
            self.risky.add(task)
            task.add_done_callback(self.risky.discard)

    def _dispatch(self, live: Live, doing: Doing, effect: Effect) -> None:
        """Begin what a command asks for, unless that is under way already."""
        if doing in live.tasks:
            return

        async def act() -> None:
            facts = await effect()
            # It is under way until that is folded: a run that is resumed meanwhile asks for it again.
            live.arrived.append(Arrival(facts, ended=doing))
            self.come(live)

        live.tasks[doing] = self.crew.act(act())

    def _abandon(self, live: Live, command: Abandon) -> None:
        """Stop our own task first, then the effect in the world, then record that it is over."""
        running = live.tasks.pop((command.position, command.attempt, "effect"), None)

        async def stop() -> Sequence[Fact]:
            if running is not None:
                running.cancel()
                await asyncio.wait([running])
            return await self.effects.abandon(live.run, command)

        self._dispatch(live, (command.position, command.attempt, "abandon"), stop)
