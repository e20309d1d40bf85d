"""Which runs are in memory. Every other open run is in the journal alone, and comes back when needed.

Law 1: of one run there is one fold. Who begins or loads a run claims it; others wait until that is over.
Law 2: a run that ended two engines at the same place waits, explained, for a person; the others go on.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import field
from typing import Final, Protocol

from dirigent.core.decide import timers, wake_at
from dirigent.core.machine import Run, Tools
from dirigent.core.replay import advance, replay
from dirigent.core.status import Phase, unknown
from dirigent.engine.live import Live
from dirigent.engine.snapshots.plain import Numbers, capture, definition_of, restore, weight_of
from dirigent.model import limits
from dirigent.model.ids import Digest, Position, RunId
from dirigent.model.problem import Refusal, refuse
from dirigent.model.program import Program
from dirigent.model.record import dataclass
from dirigent.model.run.journal import Created, Ended, Suspended
from dirigent.ports import AWAKE, NEVER, Clock, Journal, Past, Shelf
from dirigent.stores import codec

# A run whose next timer is nearer than this stays in memory: replaying it would cost more.
PARK_SECONDS: Final = 5.0
PROGRAMS_KEPT: Final = 256
# Once may be chance (somebody killed the process just then); the same place twice is not.
DEATHS: Final = 2
# Phases in which a run may still be suspended.
GOING: Final = frozenset({"running", "held", "waiting"})


class Witness(Protocol):
    """Remembers what was being turned when the process died. Need not outlive the machine."""

    def begin(self, run: RunId, place: int) -> None:
        """Note that a run is being turned that has `place` facts."""
        ...

    def end(self) -> None:
        """Note that nothing is being turned."""
        ...

    def deaths(self) -> Mapping[RunId, tuple[int, int]]:
        """Return each run that ended engines: at which place, and how often in a row there."""
        ...

    def forgive(self, run: RunId) -> None:
        """Forget what a run did."""
        ...


class Unwitnessed:
    """Witnesses nothing: for an engine whose death nobody would outlive, as in tests."""

    def begin(self, run: RunId, place: int) -> None:
        """Do nothing."""

    def end(self) -> None:
        """Do nothing."""

    def deaths(self) -> Mapping[RunId, tuple[int, int]]:
        """Return that there were none."""
        return {}

    def forgive(self, run: RunId) -> None:
        """Do nothing."""


@dataclass(slots=True, eq=False)
class Poison:
    """Which runs are quarantined. `witness` outlives the process."""

    witness: Witness
    quarantined: dict[RunId, Refusal] = field(default_factory=dict)

    async def open(self, journal: Journal, shelf: Shelf, clock: Clock) -> None:
        """Quarantine every run that ended engine after engine, and have its journal say so."""
        for run, (place, deaths) in self.witness.deaths().items():
            if deaths < DEATHS:
                continue
            found = await shelf.run(run)
            if found is None or found.ended_at is not None:
                self.witness.forgive(run)
                continue
            self.quarantined[run] = _left_alone(run, place, deaths)
            if found.phase in GOING:
                # Not folded, for folding may be what kills: any journal of an open run can take it.
                reason = f"it ended the engine {deaths} times at fact {place}"
                await journal.append(run, found.facts, [Suspended(clock.now(), reason)])

    @contextmanager
    def watched(self, run: RunId, place: int) -> Iterator[None]:
        """Have the witness note that a run of `place` facts is being folded. Nothing is awaited meanwhile.

        A refusal is an answer; what else breaks off ends the engine, and the note stands.
        """
        self.witness.begin(run, place)
        try:
            yield
        except Refusal:
            self.witness.end()
            raise
        self.witness.end()

    def forgive(self, run: RunId) -> bool:
        """Let a run try again, as a person said; return whether it was quarantined."""
        self.witness.forgive(run)
        return self.quarantined.pop(run, None) is not None


@dataclass(slots=True, eq=False)
class Programs:
    """The definitions that were read last."""

    journal: Journal
    kept: dict[Digest, Program] = field(default_factory=dict)

    async def of(self, digest: Digest) -> Program:
        """Return a definition."""
        program = self.kept.get(digest)
        if program is None:
            program = await self.journal.definition(digest)
            if len(self.kept) >= PROGRAMS_KEPT:
                del self.kept[next(iter(self.kept))]
            self.kept[digest] = program
        return program


@dataclass(slots=True, eq=False)
class Memory:
    """The runs that an engine holds, and the definitions that it read last."""

    journal: Journal
    tools: Tools
    poison: Poison
    programs: Programs
    _live: dict[RunId, Live] = field(default_factory=dict)
    _claims: dict[RunId, asyncio.Future[None]] = field(default_factory=dict)

    def __len__(self) -> int:
        """Return how many runs are in memory."""
        return len(self._live)

    def held(self, run: RunId) -> Live | None:
        """Return a run that is in memory and has not ended: whoever waits for its end will be told."""
        live = self._live.get(run)
        return live if live is not None and live.run.phase is not Phase.ENDED else None

    def ending(self, run: RunId) -> Live | None:
        """Return a run that has ended, and of which something is still on its way to the journal."""
        live = self._live.get(run)
        return live if live is not None and live.run.phase is Phase.ENDED and live.turning else None

    def vacant(self, run: RunId) -> bool:
        """Return whether a run may be begun: it is not here, and nobody else begins or loads it."""
        return run not in self._live and run not in self._claims

    def put(self, live: Live) -> None:
        """Take in a run that is claimed and whose beginning is durable."""
        self._live[live.run.id] = live

    async def load(self, run: RunId) -> Live:
        """Return a run, replaying its journal if it had left. Raises `Refusal` (E4004, E4001, E5004).

        It is in memory when this returns, and may leave at the caller's next turn of the event loop.
        """
        (live,) = await self.load_all([run])
        if isinstance(live, Refusal):
            raise live
        return live

    async def load_all(self, runs: Sequence[RunId]) -> list[Live | Refusal]:
        """Return each run as `load` does; those that had left are recalled with one question."""
        refused: dict[RunId, Refusal] = {}
        while missing := [run for run in runs if run not in self._live and run not in refused]:
            away = [run for run in missing if run not in self._claims]
            if away:
                over = self.claimed(*away)
                try:
                    for run, past in zip(away, await self.journal.recall(away), strict=True):
                        why = past if isinstance(past, Refusal) else await self._replayed(run, past)
                        if why is not None:
                            refused[run] = why
                finally:
                    over()
            else:
                await asyncio.wait([self._claims[run] for run in missing])
        return [refused.get(run) or self._live[run] for run in runs]

    def drop(self, live: Live) -> None:
        """Let go of an ended run that was not to be reopened after all."""
        if live.run.phase is Phase.ENDED and self._live.get(live.run.id) is live:
            del self._live[live.run.id]

    async def reopen(self, run: RunId, gate: tuple[Position, int]) -> Live:
        """Return a run that failed as it stood when the task at the gate was to begin; it is in memory then.

        Raises `Refusal`: E4004 when there is no such run, E4003 when it has not failed.
        """
        await self.unclaimed(run)
        if self.held(run) or self.ending(run):
            raise _not_faulted(run)
        over = self.claimed(run)
        try:
            facts = await self.journal.read(run)
            first = facts[0] if facts else None
            if not isinstance(first, Created):
                raise unknown(run)
            last = facts[-1]
            if not isinstance(last, Ended) or last.phase != "faulted":
                raise _not_faulted(run)
            program = await self.programs.of(first.definition)
            with self.poison.watched(run, len(facts)):
                live = Live(replay(program, run, facts, self.tools, gate=gate), recovered=True)
            self._live[run] = live
            return live
        finally:
            over()

    def claimed(self, *runs: RunId) -> Callable[[], None]:
        """Keep everybody else from beginning or loading these runs until the answer is called."""
        claim: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._claims.update(dict.fromkeys(runs, claim))

        def over() -> None:
            for run in runs:
                del self._claims[run]
            claim.set_result(None)

        return over

    async def unclaimed(self, run: RunId) -> None:
        """Return when nobody begins or loads a run."""
        while (claim := self._claims.get(run)) is not None:
            await asyncio.wait([claim])

    def park(self, live: Live, now: float) -> float | None:
        """Let a run that only waits leave memory, unless its next timer is near.

        Returns when it wakes, as the store knows it too; None for a run that stays.
        """
        if not live.idle:
            return None
        at = wake_at(live.run, now)
        # One with a place in a queue is awake for the store, and may have timers all the same.
        soonest = at if at != AWAKE else min((until for until, _ in timers(live.run)), default=NEVER)
        if soonest < now + PARK_SECONDS:
            return None
        self._live.pop(live.run.id, None)
        _unbind(live.run)
        return at

    async def _replayed(self, run: RunId, past: Past) -> Refusal | None:
        """Take in a run by what the store knows of it; return why it cannot be."""
        if run in self.poison.quarantined:
            return self.poison.quarantined[run]
        try:
            live = await self._restored(run, past, past.snapshot) if past.snapshot is not None else None
            self._live[run] = live or await self._folded(run, past)
        except Refusal as why:
            return why
        return None

    async def _folded(self, run: RunId, past: Past) -> Live:
        """Return a run by its whole journal. Raises `Refusal` where that cannot be."""
        facts = await self.journal.read(run) if past.snapshot is not None else past.facts
        first = facts[0] if facts else None
        if not isinstance(first, Created):
            raise unknown(run)
        program = await self.programs.of(first.definition)
        with self.poison.watched(run, len(facts)):
            return Live(replay(program, run, facts, self.tools))

    async def _restored(self, run: RunId, past: Past, content: bytes) -> Live | None:
        """Return a run by its snapshot and the facts after it; None when the whole journal is needed."""
        with suppress(Refusal):
            plain = codec.decode_plain(content)
            digest = definition_of(plain)
            program = await self.programs.of(Digest(digest)) if digest is not None else None
            if program is not None:
                with self.poison.watched(run, past.position + len(past.facts)):
                    return _advanced(restore(plain, program, run, self.tools), past)
        return None


def _advanced(found: Run | None, past: Past) -> Live | None:
    if found is None or found.facts != past.position:
        return None
    for fact in past.facts:
        advance(found, fact)
    found.news.clear()
    return Live(found, kept=past.position)


def captured(live: Live, numbers: Numbers) -> bytes | None:
    """Return the snapshot of a run whose journal has become long; None when it is not due, or cannot be."""
    since = live.run.facts - live.kept
    if since < limits.SNAPSHOT_FACTS or since < _snapshot_facts(live):
        return None
    live.kept = live.run.facts
    plain = capture(live.run, numbers)
    if plain is None:
        return None
    live.weight = weight_of(plain)
    with suppress(Refusal):
        content = codec.encode_plain(plain)
        return content if len(content) <= limits.PAYLOAD_BYTES else None
    return None


def _snapshot_facts(live: Live) -> int:
    """Return after how many facts a snapshot pays.

    To write down one that wants a thousand things at once costs as much as to fold 20,000 facts: it was
    three quarters of the cost of a fork of a thousand branches. And one that keeps the results of all its
    steps grows with every snapshot: while these came at equal distances, all of them together took more
    than a quarter of an apply of 10,000 objects, and twice as many would have taken four times as long.
    """
    busy = limits.SNAPSHOT_FACTS * max(1, len(live.run.asks) // limits.SNAPSHOT_ASKS)
    return max(busy, live.weight // limits.SNAPSHOT_OBJECTS)


def _unbind(run: Run) -> None:
    """Take apart the frames of a run that has left: they hold each other until the collector comes."""
    frames = [run.root] if run.root is not None else []
    for frame in frames:
        frames.extend(frame.children.values())
        frame.children.clear()


def _not_faulted(run: RunId) -> Refusal:
    return refuse("E4003", f"run `{run}` has not failed: nothing of it can be taken back")


def _left_alone(run: RunId, place: int, deaths: int) -> Refusal:
    return refuse(
        "E4070",
        f"run `{run}` is left alone: it ended the engine `{deaths}` times while it was at fact `{place}`",
        f"look at it with `dirigent events {run}`, and report what the engine wrote when it ended",
        f"let it try again with `dirigent resume {run}`; the other runs go on meanwhile",
    )
