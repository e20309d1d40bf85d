"""The engine: it keeps runs moving, and owns every task that acts for them.

A run that only waits leaves memory; its timers stay in the heap and bring it back. If the store
refuses an append, the engine stops: what it cannot record it must not do.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import field, replace
from typing import TypeAlias

from dirigent.core.machine import Tools
from dirigent.core.nodes import code
from dirigent.core.replay import replay
from dirigent.core.status import unknown
from dirigent.core.storable import check_word, unstorable
from dirigent.engine.acting import Acting
from dirigent.engine.crew import Crew
from dirigent.engine.drive import Turn
from dirigent.engine.effects import Effects
from dirigent.engine.events.ears import Ears, Unlogged
from dirigent.engine.events.telling import Telling, Wants
from dirigent.engine.family.following import Following
from dirigent.engine.live import Arrival, Live
from dirigent.engine.memory import Memory, Poison, Programs, Unwitnessed, Witness, captured
from dirigent.engine.queues import Queues, stands_for
from dirigent.engine.rouser import Rouser
from dirigent.engine.snapshots.plain import Numbers
from dirigent.engine.timers import Timers
from dirigent.engine.turning import Turning
from dirigent.model.ids import Digest, EffectId, RunId
from dirigent.model.problem import Refusal, refuse
from dirigent.model.program import Program
from dirigent.model.queue import Queue
from dirigent.model.record import dataclass
from dirigent.model.run.command import Command, Perform
from dirigent.model.run.journal import Created, Ended, Fact, Retried
from dirigent.model.run.start import Start, first_of
from dirigent.ports import AWAKE, Clock, Journal, Performer, Shelf
from dirigent.ports.events import Logged

Observer: TypeAlias = Callable[[RunId, Program, int, Sequence[Fact]], None]
"""Called with facts that are durable now, and how many facts the run had before them."""

Whole: TypeAlias = Callable[[Start, Mapping[str, Performer], Mapping[str, str]], Awaitable[Program]]
"""Returns the program of a start with what lies elsewhere in its place, or raises `Refusal`. Texts that are
known, by URI, are not read again."""

LOOK_SECONDS = 0.01


@dataclass(slots=True, eq=False)
class Engine:
    """Drives every open run of one store. `open` comes first, `settle` and `close` last.

    `standing` are the effects that had no recorded end when it opened, `declared` the queues that there
    are; without any, every name is a queue with the usual limits.
    """

    journal: Journal
    shelf: Shelf
    effects: Effects
    tools: Tools
    clock: Clock
    observers: list[Observer] = field(default_factory=list)
    declared: Mapping[str, Queue] = field(default_factory=dict)
    witness: Witness = field(default_factory=Unwitnessed)
    standing: set[EffectId] = field(init=False)
    left_out: dict[RunId, Refusal] = field(init=False)
    _poison: Poison = field(init=False)
    _memory: Memory = field(init=False)
    _rouser: Rouser = field(init=False)
    _timers: Timers = field(init=False)
    queues: Queues = field(init=False)
    following: Following = field(init=False)
    linker: Whole | None = None
    wants: Wants = field(default_factory=Wants)
    _crew: Crew = field(default_factory=Crew)
    _turning: Turning = field(init=False)
    _acting: Acting = field(init=False)
    _numbers: Numbers = field(default_factory=Numbers)
    events: Ears = field(init=False)

    def __post_init__(self) -> None:
        """Wire the parts to this engine."""
        self._poison = Poison(self.witness)
        self._memory = Memory(self.journal, self.tools, self._poison, Programs(self.journal))
        self._turning = Turning(
            self.journal, self.clock, self._crew, self._precede, self._act, self._rest, self.witness
        )
        go = self._turning.go
        self.queues = Queues(self.declared, self.clock, self._crew, self._memory.load, go)
        self._turning.admits = self.queues.admits
        self.following = Following(self._crew, self.clock, self._tell)
        self._rouser = Rouser(
            self._memory, self.clock, self._crew, go, (self.queues.take_up, self.following.take_up)
        )
        self._timers = self._rouser.timers
        self.left_out, self.standing = self._rouser.left_out, self._rouser.standing
        log = self.journal.log if isinstance(self.journal, Logged) else Unlogged()
        self.events = Ears(
            log,
            self.tools.language,
            self.effects.oracle,
            self._crew,
            self.clock,
            self._memory.load_all,
            go,
            self._rouser.lose,
        )
        self._turning.telling = Telling(self.wants, lambda: self.events.asked)
        self._acting = Acting(self.effects, self._timers, self.queues, self._crew, self._turning.come)

    # -- life -----------------------------------------------------------------------------------

    async def open(self) -> int:
        """Take up every run that has something to do where its journal stands; return how many there were.

        A run whose journal cannot be folded (of a newer release, or damaged), or that ended engine after
        engine, is left alone, in `left_out`: it must not keep the others from going on. Runs that sleep
        stay in the store.
        """
        await self._poison.open(self.journal, self.shelf, self.clock)
        await self.events.open()
        taken = await self._rouser.open()
        await self.queues.open(self.journal, self.shelf)
        # Timers rang meanwhile: one that could not be recorded has ended this engine before it was open.
        self._crew.check()
        self._crew.act(self.events.serve())
        return taken

    async def settle(self, seconds: float) -> None:
        """Begin nothing more, and wait for effects that the next engine could only guess about."""
        self._turning.settling = True
        self.queues.is_open = False
        self.events.stopping = True
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                # A turn that has recorded an intent is about to act on it.
                while self._crew.failure is None and (self._acting.risky or self._turning.appends):
                    await asyncio.wait(
                        [*self._acting.risky, asyncio.ensure_future(asyncio.sleep(LOOK_SECONDS))]
                    )

    async def close(self) -> None:
        """Stop acting. Effects under way are left alone, as a crash would leave them."""
        await self._crew.close(self._turning.appends)

    # -- what can be asked of it ------------------------------------------------------------------

    async def start(self, start: Start) -> RunId:
        """Create a run; it goes, or waits. Durable when this returns; a known id is answered, not repeated.

        Returns its id, or that of the open run which has its deduplication key. Raises `Refusal`: E4002
        for a known id with another program or input, E4017 for an input that no journal could hold, E4050
        to E4052 for a ticket, E4031 for code that is not here, E2045 for what lies elsewhere and is not to be
        had. A caller who goes away while it is being
        recorded takes nothing back.
        """
        self._crew.check()
        reason = unstorable(start.input, dict(start.metadata))
        if reason is not None:
            raise refuse("E4017", f"run `{start.id}` cannot take its input: {reason}")
        if start.program.elsewhere:
            start = replace(start, program=await self._whole(start))
        code.check(self.tools, start.program)
        digest = await self.journal.keep(start.program)
        # Only who brings a key asks the store: it must not stand for a run that is over.
        keyed = start.ticket is not None and bool(start.ticket.dedupe)
        known = keyed and await self.shelf.run(start.id) is not None
        # Whoever speaks to a run before it is there has a claim on it while he learns that it is not.
        await self._memory.unclaimed(start.id)
        if not known and self._memory.vacant(start.id):
            first = stands_for(self.queues, start)
            if first is not None or await self._begin(start, digest):
                return first or start.id
        await self._check_same(start, digest)
        return start.id

    async def wait(self, run: RunId) -> Ended:
        """Return how a run ended, when it has. A run that was left out never will: that is its refusal."""
        self._crew.check()
        if run in self.left_out:
            raise self.left_out[run]
        # The promise is made before the look, so that an end in between is not missed.
        future = self._crew.end_of(run)
        if self._memory.held(run):
            return await asyncio.shield(future)
        summary = await self.shelf.run(run)
        if summary is None:
            self._crew.forget(run)
            raise unknown(run)
        if summary.ended_at is not None and not future.done():
            last = (await self.journal.read(run))[-1]
            if isinstance(last, Ended):
                self._crew.ended(run, last)
        return await asyncio.shield(future)

    async def tell(self, run: RunId, fact: Fact) -> None:
        """Put a fact from outside into a run: cancel, suspend, resume, an answer to a held effect, an event.

        Durable when this returns. Raises `Refusal`: E4003 when the run cannot take it as it stands,
        E4004 when there is no such run, E4017 for what no journal could hold, E4034 and E4035 for events.
        """
        self._crew.check()
        check_word(run, fact)
        await self._crew.ask(self._tell(run, fact))

    async def _whole(self, start: Start) -> Program:
        """Return a program with what lies elsewhere in its place; a known run keeps what it began with."""
        if self.linker is None:
            raise refuse("E2045", f"nothing here can read `{start.program.elsewhere[0]}`")
        known: Mapping[str, str] = {}
        if await self.shelf.run(start.id) is not None:
            first = (await self.journal.read(start.id))[0]
            if isinstance(first, Created):
                known = (await self.journal.definition(first.definition)).sources
        return await self.linker(start, self.effects.performers, known)

    def _begin(self, start: Start, digest: Digest) -> asyncio.Future[bool]:
        """Begin a run, if there is none of its name."""
        live = Live(replay(start.program, start.id, (), self.tools), recovered=True)
        created = first_of(start, digest, self.clock.now())
        return self._turning.begin(live, created, self._memory.claimed(start.id))

    async def _tell(self, run: RunId, fact: Fact) -> None:
        if self._poison.forgive(run):
            self.left_out.pop(run, None)
        if isinstance(fact, Retried):
            # What the run came to may not be durable yet; nobody knows before whether it has failed.
            while (ending := self._memory.ending(run)) is not None:
                await self._put(ending, ())
            live = await self._memory.reopen(run, (fact.position, fact.attempt))
        else:
            live = await self._memory.load(run)
        code.check_event(live.run, fact)
        if not await self._put(live, (fact,)) and not code.repeated(live.run, fact):
            phase = live.run.phase.value
            self._memory.drop(live)
            raise refuse("E4003", f"run `{run}` is {phase} and cannot take `{type(fact).__name__}`")

    async def _check_same(self, start: Start, digest: Digest) -> None:
        """Raise `Refusal` (E4002) when a known run was made of something else."""
        live = self._memory.held(start.id)
        first = live.run.created if live is not None else (await self.journal.read(start.id))[0]
        same = isinstance(first, Created) and first.definition == digest
        if isinstance(first, Created) and not same:
            # The text of a workflow of code may change; which one it is may not.
            same = code.of_one_name(await self.journal.definition(first.definition), start.program)
        if not same or not isinstance(first, Created) or first.input != start.input:
            what = "input" if same else "definition"
            raise refuse("E4002", f"run `{start.id}` exists with another {what}")

    # -- turning runs -----------------------------------------------------------------------------

    async def _put(self, live: Live, facts: Sequence[Fact]) -> bool:
        """Let facts arrive at a run; return whether it took them, once they are durable."""
        self._crew.check()
        taken: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        live.arrived.append(Arrival(facts, taken))
        self._turning.go(live)
        return await taken

    def _act(self, live: Live, done: Turn) -> None:
        """Obey what a turn came to. All its facts are durable here, and so the run is known."""
        run = live.run
        if done.expected == 0:
            self._memory.put(live)
        if done.facts:
            self.queues.hear(run, done.facts)
            self.events.hear(run.id, done.facts)
            self.following.hear(run, done.expected, done.facts)
            for observer in tuple(self.observers):
                observer(run.id, run.program, done.expected, done.facts)
        for command in done.commands:
            self._acting.obey(live, command, done.doubtful)
        if done.facts and isinstance(done.facts[-1], Ended):
            self._timers.forget(run.id)
            self._crew.ended(run.id, done.facts[-1])
        elif (snapshot := captured(live, self._numbers)) is not None:
            self._crew.act(self.journal.keep_snapshot(run.id, run.facts, snapshot))

    def _precede(self, live: Live, command: Command, done: Turn) -> bool:
        """Begin an effect at once if it may be done before its intent is durable, and again after a crash."""
        if not (isinstance(command, Perform) and command.intended and self.effects.repeatable(command)):
            return False
        self._acting.obey(live, command, done.doubtful)
        return True

    def _rest(self, live: Live) -> None:
        """Let a run that only waits leave memory."""
        at = None if self._crew.closing else self._memory.park(live, self.clock.now())
        # The timers of a run that the store takes for awake are known here alone.
        if at is not None and at != AWAKE:
            self._timers.sleep(live.run.id, at)
