"""Turning runs: fold what arrived, have it recorded, and only then obey what follows from it.

The order of durability is the whole contract: nobody is told, and no command is obeyed, before the append
has returned. Only an effect that may be repeated is begun at once, and what comes of it goes into the same
append. A run waits in no task: the journal's answer calls it back, and all that wait share the next commit.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import field
from functools import partial
from types import TracebackType
from typing import Final, TypeAlias

from dirigent.engine.crew import Crew
from dirigent.engine.drive import Admits, Turn, nobody, recover, turn
from dirigent.engine.events.telling import Telling
from dirigent.engine.live import Arrival, Live
from dirigent.engine.memory import Witness
from dirigent.model import limits
from dirigent.model.events.listening import Tell
from dirigent.model.problem import Refusal
from dirigent.model.record import dataclass
from dirigent.model.run.command import Command
from dirigent.model.run.journal import Created
from dirigent.ports import Clock, Journal

Append: TypeAlias = "asyncio.Future[None]"

# What ends an engine without being the doing of the run that is turned.
INNOCENT: Final = (Refusal, asyncio.CancelledError)

# What a journal answers to the first fact of a run that it has.
TAKEN: Final = "E5001"
# What it answers to the first fact of an apply that another one has overtaken: nothing of it is stored.
OVERTAKEN: Final = "E2048"

# A turn and its append cost nearly the same for one result as for ten. So while many effects are under way, a
# run that hears of one lets the loop go round some times before it turns: what else ends then goes along.
# No time passes in that: a loop that has nothing else to do is round in microseconds.
MANY: Final = 6
ROUNDS: Final = 24


@dataclass(slots=True, eq=False)
class Turning:
    """Turns runs, each by one turn at a time, until the engine fails: from then on nothing more begins.

    `obey` is given a turn whose facts are durable, `rest` a run for which nothing has arrived. `precede`
    begins what a command asks for if that need not wait for the journal, and returns whether it did.
    `settling` says that nothing more may begin: what arrives is recorded, and the next engine goes on.
    `appends` are what the journal has not answered yet.
    """

    journal: Journal
    clock: Clock
    crew: Crew
    precede: Callable[[Live, Command, Turn], bool]
    obey: Callable[[Live, Turn], None]
    rest: Callable[[Live], None]
    witness: Witness
    admits: Admits = nobody
    telling: Telling | None = None
    settling: bool = False
    appends: set[Append] = field(default_factory=set)

    def begin(self, live: Live, first: Created, over: Callable[[], None]) -> asyncio.Future[bool]:
        """Record how a run begins, and let it go; the answer says whether it is new to the journal.

        Of one that the journal has nothing is changed, and `live` is good for nothing. `over` is called
        when that is known, whether or not anybody waits for the answer.
        """
        live.turning = True
        live.arrived.append(Arrival((first,)))
        done = self._folded(live)
        tells = self._told(live, done)
        append = asyncio.ensure_future(self.journal.append(live.run.id, 0, done.facts, done.wake_at, tells))
        self.appends.add(append)
        begun: asyncio.Future[bool] = append.get_loop().create_future()
        append.add_done_callback(partial(self._begun, live, done, begun))
        append.add_done_callback(lambda _: over())
        return begun

    def _begun(self, live: Live, done: Turn, begun: asyncio.Future[bool], append: Append) -> None:
        failure = None if append.cancelled() else append.exception()
        code = failure.problems[0].code if isinstance(failure, Refusal) else ""
        taken = code == TAKEN
        if code in {TAKEN, OVERTAKEN}:
            self.appends.discard(append)
        else:
            self._recorded(live, done, append)
        if begun.done():
            return  # Whoever asked is gone.
        if append.cancelled():
            begun.cancel()
        elif failure is not None and not taken:
            begun.set_exception(failure)
        else:
            begun.set_result(not taken)

    def come(self, live: Live) -> None:
        """Fold what has arrived of an effect: together with what else is about to end, where that is much."""
        if live.turning or not self._gathers(live):
            self.go(live)

    def _gathers(self, live: Live) -> bool:
        """Return whether a run waits for more to arrive; when it has, it goes."""
        if live.gathers:
            return True
        few = not len(live.tasks) - len(live.arrived) >= MANY or len(live.arrived) >= MANY
        if few or not live.recovered or self.settling or self.crew.failure is not None:
            return False
        gathered: Append = asyncio.get_running_loop().create_future()
        # Whoever waits for the appends of an engine waits for what is about to become one.
        self.appends.add(gathered)
        gathered.add_done_callback(self.appends.discard)
        live.gathers = True
        self._gather(live, gathered, ROUNDS)
        return True

    def _gather(self, live: Live, gathered: Append, rounds: int) -> None:
        if rounds and len(live.arrived) < MANY and not self.settling and not gathered.done():
            gathered.get_loop().call_soon(self._gather, live, gathered, rounds - 1)
            return
        live.gathers = False
        if gathered.cancelled():
            return  # The engine stops as it is.
        gathered.set_result(None)
        if live.arrived:
            self.go(live)

    def go(self, live: Live) -> None:
        """Fold what has arrived until nothing more does, unless the run is being turned already."""
        # Once the engine has failed nobody comes back to it: whoever brings something is told at once.
        if live.turning and self.crew.failure is None:
            return
        with _Stretch(live, self.crew, self.witness):
            self._go_on(live)
        if not live.turning:
            self.rest(live)

    def _go_on(self, live: Live) -> None:
        while live.arrived or not (live.recovered or self.settling):
            self.crew.check()
            done = self._ahead(live)
            while live.arrived and len(done.facts) < limits.FACTS_AHEAD:
                done.absorb(self._ahead(live))
            if done.facts or done.stale:
                self._record(live, done)
                return
            self._obey(live, done)

    def _folded(self, live: Live) -> Turn:
        now = self.clock.now()
        if self.telling is not None:
            self.telling.note(live.run)
        if not live.recovered and not self.settling:
            live.recovered = True
            return recover(live.run, now, self.admits, stale=live.stale)
        arrived, live.arrived = live.arrived, []
        live.folding += arrived
        for each in arrived:
            if each.ended is not None:
                live.tasks.pop(each.ended, None)
        return turn(live.run, arrived, now, onward=not self.settling, admits=self.admits)

    def _ahead(self, live: Live) -> Turn:
        """Fold, and begin what need not wait for the journal: what comes of that may have arrived then."""
        done = self._folded(live)
        done.commands = [command for command in done.commands if not self.precede(live, command, done)]
        return done

    def _told(self, live: Live, done: Turn) -> Sequence[Tell]:
        """Return the lifecycle events that go with a turn's facts: none unless somebody wants them."""
        if live.run.told is None or self.telling is None:
            return ()
        return self.telling.told(live.run, done.expected)

    def _record(self, live: Live, done: Turn) -> None:
        tells = self._told(live, done)
        append = asyncio.ensure_future(
            self.journal.append(live.run.id, done.expected, done.facts, done.wake_at, tells)
        )
        live.turning = True
        self.appends.add(append)
        append.add_done_callback(partial(self._recorded, live, done))

    def _recorded(self, live: Live, done: Turn, append: Append) -> None:
        """The journal has answered: obey, or fail with it."""
        self.appends.discard(append)
        with _Stretch(live, self.crew, self.witness):
            append.result()
            self._obey(live, done)
            live.turning = False
            if not (live.arrived and self._gathers(live)):
                self._go_on(live)
        if not live.turning:
            self.rest(live)

    def _obey(self, live: Live, done: Turn) -> None:
        for each, took in zip(done.arrived, done.took, strict=True):
            each.settle(took=took)
        live.folding = []
        # It is durable, and said so; what it asks for is the next engine's to do when this one has failed.
        self.crew.check()
        self.obey(live, done)


@dataclass(slots=True, eq=False)
class _Stretch:
    """A stretch in which one run is being turned.

    One that breaks off, for whatever reason, has folded more than the journal holds: only a new engine may
    go on from what is durable. So this one fails, everybody who waits is told, and the run stays as it is.
    """

    live: Live
    crew: Crew
    witness: Witness

    def __enter__(self) -> None:
        """Begin. What the witness noted when the engine failed must stand."""
        if self.crew.failure is None:
            self.witness.begin(self.live.run.id, self.live.run.facts)

    def __exit__(
        self, kind: type[BaseException] | None, failure: BaseException | None, trace: TracebackType | None
    ) -> bool:
        """End. Nobody above could do more about a failure than is done here."""
        if self.crew.failure is None and (failure is None or isinstance(failure, INNOCENT)):
            self.witness.end()
        if failure is None:
            return False
        self.live.turning = True
        for each in (*self.live.folding, *self.live.arrived):
            each.fail(failure)
        self.crew.fail(failure)
        return True
