"""One life of an engine in a test: the real core and engine, a store in memory, virtual time.

What a `Show` holds survives a crash; what `life` makes does not.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from dataclasses import field
from typing import Final

from dirigent.app.authors import Authors
from dirigent.app.trials.outcome import Stand, outcome_of, with_answers
from dirigent.app.trials.piece import Piece
from dirigent.core.events.shape import moment as written_time
from dirigent.engine.children import WorkflowPerformer
from dirigent.engine.conductor import LocalConductor
from dirigent.engine.effects import Effects
from dirigent.engine.engine import Engine
from dirigent.engine.schedules.keeping import SchedulePerformer
from dirigent.lang.schedule.events import strategy_of
from dirigent.lang.schedule.program import program_of
from dirigent.lang.trial.trial import Happening, Trial
from dirigent.model import limits
from dirigent.model.events.listening import Event
from dirigent.model.fault import Fault
from dirigent.model.ids import RunId
from dirigent.model.problem import Problem, Refusal
from dirigent.model.program import Program
from dirigent.model.record import dataclass
from dirigent.model.run.command import Question
from dirigent.model.run.effect import Order, Outcome
from dirigent.model.run.journal import CancelRequested, Fact, Resumed, Signalled, Suspended
from dirigent.model.run.start import Start
from dirigent.model.values import Value
from dirigent.ports import Performer
from dirigent.tasks.oracle import JqOracle
from dirigent.tasks.python import PythonPerformer
from dirigent.testing.crash import Crash, Fuse, FusedStore
from dirigent.testing.idle import IdleClock
from dirigent.testing.memory import MemoryStore
from dirigent.testing.shelf import MemoryDisk
from dirigent.testing.trial.coming import Came
from dirigent.testing.trial.world import Stage, World
from dirigent.testing.vault import FakeVault

SOURCE = "/dirigent/test"
# So much later than what is due at a time comes what is to come after that.
_AFTER: Final = 0.001


@dataclass(slots=True)
class Show:
    """One playing of a test. `down` is for how long nobody drives now; transactions lie in `folder`."""

    piece: Piece
    trial: Trial
    clock: IdleClock
    world: World
    disk: MemoryDisk
    fuse: Fuse
    folder: str
    refused: list[Problem] = field(default_factory=list)
    down: float = 0.0
    facts: int = 0
    stop: Callable[[], None] = lambda: None

    @property
    def run(self) -> RunId:
        """Return the run that is started first: that of the workflow, or of its schedule."""
        name = self.trial.run
        return RunId(name if self.trial.scheduled is None else f"schedule:{name}/1")

    async def life(self) -> Came:
        """Live until the run has ended, or stands still for good."""
        store = MemoryStore(self.disk)
        vault = FakeVault(self.trial.secrets)
        stopped = asyncio.Event()
        self.stop = stopped.set
        async with _oracle(self.clock) as oracle:
            stage = Stage(self.world, self.clock, vault, oracle, stopped.set, None, self._knows)
            stage.real = self._earnest()
            performers: dict[str, Performer] = dict.fromkeys(self.piece.functions, stage)
            fused = FusedStore(store, self.fuse)
            effects = Effects(performers, oracle, vault, self.clock)
            linker = self.piece.linker(self.trial.files)
            engine = Engine(fused, fused, effects, self.piece.tools, self.clock, linker=linker)
            language = self.piece.tools.language
            performers["schedule"] = SchedulePerformer(
                LocalConductor(engine, store), fused, store, self.clock, language, oracle
            )
            engine.observers.append(self._hear)
            stage.children = WorkflowPerformer(engine, self._find, self._metadata)
            for known in await store.runs(limit=limits.TRIAL_FACTS):
                # A crash may have come between the beginning of a run and its becoming known.
                self.world.programs.setdefault(known.id, await store.definition(known.definition))
            await engine.open()
            await self._through(engine, stopped)
            facts = await store.read(self.run)
            await engine.close()
            stand = Stand(self.run, facts, self.clock.now(), self.facts > limits.TRIAL_FACTS)
            came = await outcome_of(stand, self.trial, self.piece.tools, store, self.world)
            return await with_answers(came, self.trial, oracle)

    def _earnest(self) -> Performer | None:
        if not isinstance(self.piece.plays, Authors):
            return None
        return _Earnest(PythonPerformer(self.piece.plays.step, self.folder), self.clock)

    # -- what drives it ---------------------------------------------------------------------------

    async def _through(self, engine: Engine, stopped: asyncio.Event) -> None:
        """Wait until the run has ended, the test was stopped, or nothing can happen any more."""
        ends = [stopped.wait(), self.clock.stalled(), self._begun(engine)]
        beside = [self._noticed(self._happen(engine)), self._noticed(self._end_of_schedule(engine))]
        watched = [asyncio.ensure_future(each) for each in (*ends, *beside)]
        try:
            await asyncio.wait(watched[:3], return_when=asyncio.FIRST_COMPLETED)
            for each in watched:
                if each.done():
                    each.result()
        finally:
            for each in watched:
                each.cancel()
            await asyncio.gather(*watched, return_exceptions=True)

    async def _begun(self, engine: Engine) -> None:
        """Start the run unless it was, and wait for its end, and for those of all that it started."""
        try:
            if await engine.shelf.run(self.run) is None:
                await engine.start(await self._start(engine))
        except Refusal as refusal:
            first = refusal.problems[0]
            label = "it cannot start" if first.at is None else f"at {first.at}"
            self.refused.append(Problem(first.code, first.message, self.trial.span, label, (), first.help))
            return
        # Whoever waits for an end learns of a crash, too; a schedule has ended before its runs.
        await engine.wait(self.run)
        if self.trial.scheduled is not None:
            for run in list(self.world.programs):
                await engine.wait(run)

    async def _noticed(self, work: Coroutine[None, None, None]) -> None:
        """Do something beside the run; a crash in it ends the life at once, before time moves."""
        try:
            await work
        except Crash:
            self.stop()
            raise

    async def _end_of_schedule(self, engine: Engine) -> None:
        if self.trial.scheduled is None:
            return
        # Whatever is due at the very end has its turn first.
        await self.clock.sleep_until(self.trial.start + self.trial.scheduled + _AFTER)
        found = await engine.shelf.run(self.run)
        if found is not None and found.open:
            await engine.tell(self.run, CancelRequested(self.clock.now(), "the test is over"))

    async def _start(self, engine: Engine) -> Start:
        piece, trial, now = self.piece, self.trial, self.clock.now()
        metadata = {**piece.metadata, **trial.metadata}
        if trial.scheduled is None or piece.schedule is None:
            return Start(self.run, piece.program, trial.input, metadata)
        whole = piece.program
        if whole.elsewhere:
            start = Start(self.run, whole, trial.input)
            whole = await piece.linker(trial.files)(start, engine.effects.performers, {})
        digest = await engine.journal.keep(whole)
        schedule = piece.schedule
        strategy = None if schedule.on is None else strategy_of(schedule, piece.tools.language)
        program = program_of(trial.run, schedule, digest, trial.input, metadata, strategy)
        state: dict[str, Value] = {"anchor": now, "considered": now, "last": ""}
        return Start(self.run, program, state, {})

    # -- what happens to it -----------------------------------------------------------------------

    async def _happen(self, engine: Engine) -> None:
        """Do to the run what the test says, each thing at its time."""
        order = sorted(enumerate(self.trial.happenings), key=lambda each: each[1].seconds)
        for number, happening in order:
            if number in self.world.happened:
                continue
            await self.clock.sleep_until(self.trial.start + happening.seconds)
            if happening.what == "down":
                self.world.happened.add(number)
                self._die(happening.length)
            try:
                await self._do(engine, number, happening)
            except Refusal as refusal:
                why = refusal.problems[0]
                self.refused.append(
                    Problem("E7079", why.message, happening.span, "the run cannot take this", (), why.help)
                )
            self.world.happened.add(number)

    def _die(self, seconds: float) -> None:
        """Let the engine end at once, as a process that is killed."""
        self.down, self.fuse.dead = seconds, True
        raise Crash("nobody drives")

    async def _do(self, engine: Engine, number: int, happening: Happening) -> None:
        now = self.clock.now()
        if happening.what == "event":
            # The same event comes once only, also when a crash left it open whether it came.
            await engine.events.take([_event(number, happening, now)])
            return
        fact = _fact(number, happening, now)
        if fact not in await engine.journal.read(self.run):
            await engine.tell(self.run, fact)

    # -- what it needs to know ----------------------------------------------------------------------

    def _hear(self, run: RunId, program: Program, _: int, facts: Sequence[Fact]) -> None:
        self.world.programs[run] = program
        self.facts += len(facts)
        if self.facts > limits.TRIAL_FACTS:
            self.stop()

    def _find(self, namespace: str, name: str, version: str) -> Program | None:
        plays = self.piece.plays
        if isinstance(plays, Authors) and ":" in name:
            return plays.program(name)
        return self.piece.others.get((namespace, name, version))

    def _knows(self, order: Order) -> bool:
        asked = order.request if isinstance(order.request, dict) else {}
        names = [str(asked.get(part) or "") for part in ("namespace", "name", "version")]
        return self._find(names[0], names[1], names[2] or "latest") is not None

    async def _metadata(self) -> dict[str, Value]:
        return {**self.piece.metadata, **self.trial.metadata}


def _event(number: int, happening: Happening, now: float) -> Event:
    given = happening.value if isinstance(happening.value, dict) else {}
    filled: Event = {
        "specversion": "1.0",
        "id": f"event-{number}",
        "source": SOURCE,
        "time": written_time(now),
    }
    return {**filled, **given}


def _fact(number: int, happening: Happening, now: float) -> Fact:
    match happening.what:
        case "cancel":
            return CancelRequested(now, happening.name)
        case "suspend":
            return Suspended(now, happening.name)
        case "resume":
            return Resumed(now)
        case _:
            return Signalled(now, happening.name, f"happening-{number}", happening.value)


@dataclass(frozen=True, slots=True)
class _Earnest:
    """A performer whose work takes no virtual time, however long it lasts."""

    performer: PythonPerformer
    clock: IdleClock

    async def perform(self, order: Order) -> Outcome:
        """Do it."""
        with self.clock.hold():
            return await self.performer.perform(order)

    async def abandon(self, order: Order) -> None:
        """Stop it."""
        with self.clock.hold():
            await self.performer.abandon(order)


@dataclass(slots=True)
class _Held:
    """An oracle whose work takes no virtual time."""

    oracle: JqOracle
    clock: IdleClock

    async def answer(self, questions: Sequence[Question]) -> tuple[Value | Fault, ...]:
        """Return one answer for each question, in order."""
        with self.clock.hold():
            return await self.oracle.answer(questions)


@asynccontextmanager
async def _oracle(clock: IdleClock) -> AsyncIterator[_Held]:
    oracle = JqOracle()
    try:
        yield _Held(oracle, clock)
    finally:
        with clock.hold():
            await oracle.close()
