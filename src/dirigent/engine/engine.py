"""The engine: it keeps runs moving, and owns every task that acts for them.

A run that only waits leaves memory; its timers stay in the heap and bring it back. If the store
refuses an append, the engine stops: what it cannot record it must not do.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias, assert_never

from dirigent.core.machine import Tools
from dirigent.core.replay import expects, replay
from dirigent.engine.drive import Turn, recover, turn
from dirigent.engine.effects import Effects
from dirigent.engine.live import Live
from dirigent.engine.timers import Alarm, Timers
from dirigent.model import limits
from dirigent.model.ids import Digest, Position, RunId
from dirigent.model.problem import Refusal, refuse
from dirigent.model.program import Program
from dirigent.model.run.command import Abandon, Command, Compute, Finish, FireAt, Perform, SetTimer
from dirigent.model.run.journal import Created, Ended, Fact, TimerFired
from dirigent.model.values import Value
from dirigent.ports import Clock, Journal, Shelf

Observer: TypeAlias = Callable[[RunId, Program, int, Sequence[Fact]], None]
"""Called with facts that are durable now, and how many facts the run had before them."""

# A run whose next timer is nearer than this stays in memory: replaying it would cost more.
PARK_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Start:
    """A run to be made. The same `id` with the same program and input is the same run."""

    id: RunId
    program: Program
    input: Value = None
    metadata: Mapping[str, Value] = field(default_factory=dict)
    parent: RunId | None = None
    depth: int = 0


@dataclass(slots=True, eq=False)
class Engine:
    """Drives every open run of one store. `serve` must run while anything is awaited of it."""

    journal: Journal
    shelf: Shelf
    effects: Effects
    tools: Tools
    clock: Clock
    observers: list[Observer] = field(default_factory=list)
    _live: dict[RunId, Live] = field(default_factory=dict)
    _loading: dict[RunId, asyncio.Task[Live]] = field(default_factory=dict)
    _programs: dict[Digest, Program] = field(default_factory=dict)
    _ends: dict[RunId, asyncio.Future[Ended]] = field(default_factory=dict)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)
    _timers: Timers = field(init=False)
    _failure: BaseException | None = None
    _closing: bool = False

    def __post_init__(self) -> None:
        """Wire the timers to this engine."""
        self._timers = Timers(self.clock, self._ring)

    # -- life -----------------------------------------------------------------------------------

    async def open(self) -> int:
        """Take up every open run where its journal stands, and return how many there were."""
        self._spawn(self._timers.serve())
        found = await self.shelf.runs(only_open=True, limit=limits.RUNS_OPEN)
        for summary in reversed(found):
            await self._load(summary.id)
        return len(found)

    async def close(self) -> None:
        """Stop acting. Effects under way are left alone, as a crash would leave them."""
        self._closing = True
        tasks = [*self._tasks, *(task for live in self._live.values() for task in live.tasks.values())]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for future in self._ends.values():
            future.cancel()

    # -- what can be asked of it ------------------------------------------------------------------

    async def start(self, start: Start) -> RunId:
        """Create a run and let it go. Durable when this returns; a known id is answered, not repeated."""
        self._check()
        digest = await self.journal.keep(start.program)
        known = await self.shelf.run(start.id)
        if known is not None:
            if known.definition != digest:
                raise refuse("E4002", f"run `{start.id}` exists with another definition")
            return start.id
        self._programs[digest] = start.program
        created = Created(
            self.clock.now(), digest, start.input, dict(start.metadata), start.parent, start.depth
        )
        live = Live(replay(start.program, start.id, (), self.tools))
        self._live[start.id] = live
        live.arrived.append((created,))
        await self._turn(live)
        return start.id

    async def wait(self, run: RunId) -> Ended:
        """Return how a run ended, when it has."""
        self._check()
        # The promise is made before the look, so that an end in between is not missed.
        future = self._ends.setdefault(run, asyncio.get_running_loop().create_future())
        summary = await self.shelf.run(run)
        if summary is None:
            self._ends.pop(run, None)
            raise unknown(run)
        if summary.ended_at is not None and not future.done():
            last = (await self.journal.read(run))[-1]
            if isinstance(last, Ended):
                self._ended(run, last)
        return await asyncio.shield(future)

    async def tell(self, run: RunId, fact: Fact) -> None:
        """Put a fact from a person into a run: cancel, suspend, resume, or an answer to a held effect.

        Raises `Refusal` (`E4003`) when the run cannot take it as it stands.
        """
        self._check()
        live = await self._load(run)
        if not expects(live.run, fact):
            phase = live.run.phase.value
            raise refuse("E4003", f"run `{run}` is {phase} and cannot take `{type(fact).__name__}`")
        live.arrived.append((fact,))
        await self._turn(live)

    # -- turning runs -----------------------------------------------------------------------------

    async def _load(self, run: RunId) -> Live:
        """Return a run in memory, replaying its journal if it had left."""
        if run in self._live:
            return self._live[run]
        if run not in self._loading:
            self._loading[run] = asyncio.ensure_future(self._replay(run))
        try:
            return await asyncio.shield(self._loading[run])
        finally:
            self._loading.pop(run, None)

    async def _replay(self, run: RunId) -> Live:
        facts = await self.journal.read(run)
        if not facts or not isinstance(facts[0], Created):
            raise unknown(run)
        digest = facts[0].definition
        program = self._programs.get(digest)
        if program is None:
            program = self._programs[digest] = await self.journal.definition(digest)
        live = Live(replay(program, run, facts, self.tools))
        self._live[run] = live
        live.turning = True
        try:
            self._act(live, await recover(live.run, self.journal, self.clock))
        finally:
            live.turning = False
        if live.arrived:
            await self._turn(live)
        return live

    async def _turn(self, live: Live) -> None:
        """Fold what has arrived until nothing more does. One turn of a run at a time."""
        if live.turning:
            return
        live.turning = True
        try:
            while live.arrived:
                arrived, live.arrived = live.arrived, []
                done = await turn(live.run, arrived, self.journal, self.clock)
                self._act(live, done)
        except Refusal as refusal:
            # The fold is ahead of the journal now; only a new engine may go on from what is durable.
            self._fail(refusal)
            raise
        finally:
            live.turning = False
        self._park(live)

    def _act(self, live: Live, done: Turn) -> None:
        """Obey what a turn came to. All its facts are durable here."""
        run = live.run
        if done.facts:
            for observer in self.observers:
                observer(run.id, run.program, run.facts - len(done.facts), done.facts)
        for command in done.commands:
            self._obey(live, command, done)
        if done.facts and isinstance(done.facts[-1], Ended):
            self._ended(run.id, done.facts[-1])

    def _obey(self, live: Live, command: Command, done: Turn) -> None:
        run = live.run
        match command:
            case Perform(position=position, attempt=attempt):
                doubtful = (position, attempt) in done.doubtful
                if (position, attempt) not in live.tasks:
                    self._dispatch(
                        live, position, attempt, self.effects.perform(run, command, doubtful=doubtful)
                    )
            case Compute(position=position, attempt=attempt):
                self._dispatch(live, position, attempt, self.effects.compute(command))
            case Abandon(position=position, attempt=attempt):
                self._abandon(live, command)
            case FireAt(position, attempt, purpose, until):
                self._timers.add(Alarm(until, run.id, position, attempt, purpose))
            case SetTimer() | Finish():
                raise AssertionError(f"{type(command).__name__} is a record, not an action")
            case _:
                assert_never(command)

    def _dispatch(
        self, live: Live, position: Position, attempt: int, effect: Coroutine[None, None, Sequence[Fact]]
    ) -> None:
        async def act() -> None:
            facts = await effect
            live.tasks.pop((position, attempt), None)
            live.arrived.append(facts)
            await self._turn(live)

        live.tasks[position, attempt] = self._watched(act())

    def _abandon(self, live: Live, command: Abandon) -> None:
        """Stop our own task first, then the effect in the world, then record that it is over."""
        key = (command.position, command.attempt)
        running = live.tasks.pop(key, None)

        async def stop() -> Sequence[Fact]:
            if running is not None:
                running.cancel()
                await asyncio.wait([running])
            return await self.effects.abandon(live.run, command)

        self._dispatch(live, command.position, command.attempt, stop())

    def _ring(self, alarm: Alarm) -> None:
        fired = TimerFired(self.clock.now(), alarm.position, alarm.attempt, alarm.purpose)

        async def wake() -> None:
            live = await self._load(alarm.run)
            live.arrived.append((fired,))
            await self._turn(live)

        self._spawn(wake())

    def _park(self, live: Live) -> None:
        """Let a run that only waits leave memory, unless its next timer is near."""
        if not live.idle or self._closing:
            return
        soon = self.clock.now() + PARK_SECONDS
        if live.run.asks and any(ask.seconds and ask.until < soon for ask in live.run.asks.values()):
            return
        self._live.pop(live.run.id, None)

    def _ended(self, run: RunId, fact: Ended) -> None:
        future = self._ends.pop(run, None)
        if future is not None and not future.done():
            future.set_result(fact)

    # -- tasks ------------------------------------------------------------------------------------

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        self._watched(work)

    def _watched(self, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._reap)
        return task

    def _reap(self, task: asyncio.Task[None]) -> None:
        """A task that fails takes the engine down: the journal knows where to go on."""
        self._tasks.discard(task)
        if task.cancelled():
            return
        failure = task.exception()
        if failure is not None:
            self._fail(failure)

    def _fail(self, failure: BaseException) -> None:
        if self._failure is None:
            self._failure = failure
        for future in self._ends.values():
            if not future.done():
                future.set_exception(self._failure)

    def _check(self) -> None:
        if self._failure is not None:
            raise self._failure


def unknown(run: RunId) -> Refusal:
    """Return the refusal of a run that is not there."""
    return refuse("E4004", f"there is no run `{run}`", "list the runs with `dirigent ps --all`")
