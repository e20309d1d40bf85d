"""One test from its start to what it came to: the real core and engine, a store in memory, virtual time.

With a crash, the same test is played once for each place of its journal, with a death at that place.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import field, replace
from pathlib import Path

from dirigent.app.elsewhere import whole
from dirigent.app.tools import TOOLS
from dirigent.core.machine import Moment
from dirigent.core.replay import replay
from dirigent.engine.children import WorkflowPerformer
from dirigent.engine.effects import Effects
from dirigent.engine.engine import Engine
from dirigent.lang.trial.trial import Happening, Holds, Trial
from dirigent.model import limits
from dirigent.model.fault import Fault
from dirigent.model.ids import RunId
from dirigent.model.problem import Problem, Refusal
from dirigent.model.program import Call, Program, tasks_of
from dirigent.model.record import dataclass
from dirigent.model.run.command import Question
from dirigent.model.run.effect import Order
from dirigent.model.run.journal import (
    CancelRequested,
    Ended,
    Fact,
    Resumed,
    Signalled,
    Suspended,
)
from dirigent.model.run.start import Start
from dirigent.model.source import Span
from dirigent.model.values import Value
from dirigent.ports import Oracle, Performer
from dirigent.tasks.oracle import JqOracle
from dirigent.testing.crash import Crash, Fuse, FusedStore
from dirigent.testing.idle import IdleClock
from dirigent.testing.memory import MemoryStore
from dirigent.testing.shelf import MemoryDisk
from dirigent.testing.trial.comparing import shown
from dirigent.testing.trial.computing import computed
from dirigent.testing.trial.judging import ENDLESS, Came, count_of, judged
from dirigent.testing.trial.world import Stage, World
from dirigent.testing.vault import FakeVault

RUN = RunId("test")
_PLACES_IN_APPEND = 2


@dataclass(frozen=True, slots=True)
class Piece:
    """What is played: a workflow, and those that it may run, by namespace, name and version."""

    program: Program
    others: Mapping[tuple[str, str, str], Program] = field(default_factory=dict)
    metadata: Mapping[str, Value] = field(default_factory=dict)

    @property
    def functions(self) -> set[str]:
        """Return every function that may be called."""
        programs = (self.program, *self.others.values())
        tasks = (task for program in programs for task in tasks_of(program.root))
        found = {task.node.function for task in tasks if isinstance(task.node, Call)}
        # What a function calls that lies elsewhere is known when the run has started.
        return found | {"http", "openapi", "shell", "script"} if self.program.elsewhere else found


def played(piece: Piece, trial: Trial) -> tuple[Came, list[Problem]]:
    """Return what a test came to, and what is not as it was expected."""
    fuse = Fuse()
    came = _whole(piece, trial, fuse)
    problems = judged(trial, came)
    if problems or not trial.crash:
        return came, problems
    odd = 1 if trial.crash == "before-each-append" else 0
    places = list(enumerate(fuse.places, 1))
    for number, place in places:
        if number % _PLACES_IN_APPEND == odd:
            again = _whole(piece, trial, Fuse(number))
            problems = judged(trial, again)
            if problems:
                return again, [_after_crash(trial, place), *problems]
    return came, []


def _after_crash(trial: Trial, place: str) -> Problem:
    when, _, what = place.partition(" ")
    position, _, facts = what.partition(" ")
    return Problem(
        "E7089",
        f"it ends differently with a crash {when} fact {position.rpartition('@')[2]} (`{facts}`) is recorded",
        trial.span,
        "what differs is said below",
        (),
        ("without a crash the test passes",),
    )


def _whole(piece: Piece, trial: Trial, fuse: Fuse) -> Came:
    """Play a test to its end, in as many lives as it takes."""
    clock = IdleClock(trial.start)
    world = World(trial.answers)
    show = _Show(piece, trial, clock, world, MemoryDisk(), fuse)
    while True:
        try:
            return clock.run(show.life)
        except Crash:
            fuse.revive()


@dataclass(slots=True)
class _Show:
    """One playing of a test; what is here survives a crash."""

    piece: Piece
    trial: Trial
    clock: IdleClock
    world: World
    disk: MemoryDisk
    fuse: Fuse
    refused: list[Problem] = field(default_factory=list)
    facts: int = 0
    stop: Callable[[], None] = lambda: None

    async def life(self) -> Came:
        """Live until the run has ended, or stands still for good."""
        store = MemoryStore(self.disk)
        vault = FakeVault(self.trial.secrets)
        stopped = asyncio.Event()
        self.stop = stopped.set
        async with _oracle(self.clock) as oracle:
            stage = Stage(self.world, self.clock, vault, oracle, stopped.set, None, self._knows)
            performers: dict[str, Performer] = dict.fromkeys(self.piece.functions, stage)
            fused = FusedStore(store, self.fuse)
            effects = Effects(performers, oracle, vault, self.clock)
            engine = Engine(fused, fused, effects, TOOLS, self.clock, linker=whole(Path()))
            engine.observers.append(self._hear)
            stage.children = WorkflowPerformer(engine, self._find, self._metadata)
            await engine.open()
            if await store.run(RUN) is None:
                piece, trial = self.piece, self.trial
                await engine.start(Start(RUN, piece.program, trial.input, piece.metadata))
            await self._through(engine, stopped)
            facts = await store.read(RUN)
            await engine.close()
            return await self._came(facts, store, oracle)

    async def _through(self, engine: Engine, stopped: asyncio.Event) -> None:
        """Wait until the run has ended, the test was stopped, or nothing can happen any more."""
        watched = [
            asyncio.ensure_future(each)
            for each in (_ended(engine), stopped.wait(), self.clock.stalled(), self._happen(engine))
        ]
        try:
            await asyncio.wait(watched[:3], return_when=asyncio.FIRST_COMPLETED)
            for each in watched:
                if each.done():
                    each.result()
        finally:
            for each in watched:
                each.cancel()
            await asyncio.gather(*watched, return_exceptions=True)

    async def _happen(self, engine: Engine) -> None:
        """Do to the run what the test says, each thing at its time."""
        order = sorted(enumerate(self.trial.happenings), key=lambda each: each[1].seconds)
        for number, happening in order:
            if number in self.world.happened:
                continue
            await self.clock.sleep_until(self.trial.start + happening.seconds)
            self.world.happened.add(number)
            try:
                await engine.tell(RUN, _fact(number, happening, self.clock.now()))
            except Refusal as refusal:
                why = refusal.problems[0]
                self.refused.append(
                    Problem("E7079", why.message, happening.span, "the run cannot take this", (), why.help)
                )

    def _hear(self, run: RunId, program: Program, _: int, facts: Sequence[Fact]) -> None:
        self.world.programs[run] = program
        self.facts += len(facts)
        if self.facts > limits.TRIAL_FACTS:
            self.stop()

    def _find(self, namespace: str, name: str, version: str) -> Program | None:
        return self.piece.others.get((namespace, name, version))

    def _knows(self, order: Order) -> bool:
        asked = order.request if isinstance(order.request, dict) else {}
        names = [str(asked.get(part) or "") for part in ("namespace", "name", "version")]
        return self._find(names[0], names[1], names[2] or "latest") is not None

    async def _metadata(self) -> dict[str, Value]:
        return dict(self.piece.metadata)

    async def _came(self, facts: Sequence[Fact], store: MemoryStore, oracle: Oracle) -> Came:
        last = facts[-1] if facts else None
        end = last if isinstance(last, Ended) else None
        summary = await store.run(RUN)
        phase = end.phase if end else _standing(summary.phase if summary else "")
        if end is None and self.facts > limits.TRIAL_FACTS:
            phase = ENDLESS
        first = facts[0].at if facts else self.trial.start
        names: list[tuple[str, str]] = []
        waits: list[str] = []
        for run, program in self.world.programs.items():
            known = facts if run == RUN else await store.read(run)
            ran, open_ = _ran(run, program, known)
            names += ran
            waits += open_
        came = Came(
            phase,
            (end.at if end else self.clock.now()) - first,
            shown(end.output) if end else None,
            end.fault if end else None,
            count_of(names),
            tuple(self.world.calls),
            tuple(self.world.strange),
            tuple(waits),
            tuple(self.refused),
            dict(self.world.served),
        )
        return await _with_answers(came, self.trial, oracle)


async def _ended(engine: Engine) -> None:
    await engine.wait(RUN)


def _standing(phase: str) -> str:
    """Return in one word why a run that has not ended stands still."""
    return phase if phase in ("held", "suspended") else "waiting"


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


def _ran(run: RunId, program: Program, facts: Sequence[Fact]) -> tuple[list[tuple[str, str]], list[str]]:
    """Return name and pointer of each task that ran, in order, and the positions at which the run stands."""
    moments: list[Moment] = []
    state = replay(program, run, facts, TOOLS, moments.append)
    skipped = Counter(moment.position for moment in moments if moment.what == "skipped")
    names: list[tuple[str, str]] = []
    for moment in moments:
        if moment.what != "entered" or not moment.position:
            continue
        if skipped[moment.position]:
            skipped[moment.position] -= 1
        else:
            names.append((moment.task.name, moment.task.pointer))
    return names, [f"`{key[0]}` ({key[2]})" for key in state.asks]


async def _with_answers(came: Came, trial: Trial, oracle: Oracle) -> Came:
    """Return what a run came to, with what the expressions of the test give of it."""
    dot = came.as_value()
    found: dict[Span, Value | Fault] = {}
    for each in trial.expectations:
        if isinstance(each, Holds):
            found[each.span] = await computed(each.expression, dot, oracle)
    return replace(came, computed=found)


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
