"""What a schedule does when its time has come: one turn of it, made from what is durable.

Law 1: the id of a run is that of its schedule and its time, so whoever starts it, and how often: it is one.
Law 2: what was considered last is in the journal of the schedule, before the next time is waited for.
Law 3: what is wrong with a workflow harms its runs or the start of one, never the schedule.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import islice
from typing import Final

from dirigent.core.events.gathering import Arrival
from dirigent.engine.schedules.gathering import Gatherer, carried
from dirigent.engine.schedules.recalling import recalled
from dirigent.engine.schedules.state import State, paused_at, timely
from dirigent.lang.schedule.calendar import occurrences, put_off, run_of, run_of_events
from dirigent.lang.schedule.events import strategy_of
from dirigent.model.ids import Digest, RunId
from dirigent.model.problem import Refusal
from dirigent.model.record import dataclass
from dirigent.model.run.effect import Done, Order, Outcome
from dirigent.model.run.journal import CancelRequested, Created
from dirigent.model.run.origin import Origin
from dirigent.model.run.schedule import Schedule, of_value
from dirigent.model.run.start import Start
from dirigent.model.values import Value
from dirigent.ports import Clock, Conductor, Journal, Language, Oracle, Shelf

# The next engine may look further ahead: so many times are looked at in one turn.
LOOKED_AT: Final = 10_000
# After so many turns the schedule goes on as another run, so that no journal grows for ever.
TURNS: Final = 1_000
# Whoever waits for an event leaves memory, and is folded again for it: a short journal is a fast one.
TURNS_OF_EVENTS: Final = 100
# A wait is no longer than this: then it is looked again, whatever happened to the clock meanwhile.
WAIT_SECONDS: Final = 86_400.0
FIRST_LOOK_SECONDS: Final = 0.05
LOOK_SECONDS: Final = 1.0
# Between a timer and its turn lies this at most where nobody was suspended.
AT_ONCE_SECONDS: Final = 1.0
KNOWN: Final = frozenset({"E4002"})


@dataclass(frozen=True, slots=True)
class Request:
    """What a turn is to be made of, from the request of its effect."""

    schedule: Schedule
    name: str
    definition: Digest
    input: Value
    metadata: dict[str, Value]
    state: State


def request_of(order: Order) -> Request:
    """Return what an order asks for."""
    given = order.request if isinstance(order.request, dict) else {}
    metadata = given.get("metadata")
    return Request(
        of_value(given.get("schedule")),
        str(given.get("name")),
        Digest(str(given.get("definition"))),
        given.get("input"),
        metadata if isinstance(metadata, dict) else {},
        State.of_value(given.get("state")),
    )


@dataclass(frozen=True, slots=True)
class SchedulePerformer:
    """Fits `ports.Performer`: makes one turn of a schedule. Safe to be made again at any time."""

    conductor: Conductor
    journal: Journal
    shelf: Shelf
    clock: Clock
    language: Language
    oracle: Oracle

    async def perform(self, order: Order) -> Outcome:
        """Start what is due, and say what comes next."""
        request = request_of(order)
        state = request.state
        if request.schedule.on is not None:
            state = await self._hear(order, request)
        elif request.schedule.after is not None:
            state = await self._after(request)
        elif state.at is None or self.clock.now() >= state.due:
            state = await self._turn(order, request)
        state = state.turned(self.clock.now(), WAIT_SECONDS)
        turns = TURNS if request.schedule.on is None else min(TURNS, TURNS_OF_EVENTS)
        if state.number >= turns and not state.over:
            await self._hand_on(order, request, state)
            state = state.ended()
        return Done(state.as_value())

    async def abandon(self, order: Order) -> None:
        """A turn leaves nothing behind that would have to be stopped: its runs go on by themselves."""

    # -- by the calendar --------------------------------------------------------------------------

    async def _turn(self, order: Order, request: Request) -> State:
        """Start at most one run, and return the state with the next time in it."""
        state, now = request.state, self.clock.now()
        due = self._due(request, now)
        if due:
            wanted = (request.schedule, request.name, state)
            state = await recalled(order, wanted, due, (self.journal, self.shelf))
            due = [at for at in due if at > state.considered]
        if due:
            late = now - put_off(request.schedule, request.name, due[0]) > AT_ONCE_SECONDS or len(due) > 1
            pauses = paused_at(await self.journal.read(order.run), now) if late else ()
            chosen = timely(request.schedule, request.name, due, now, state.blocked, pauses)
            state = state.considered_until(chosen.considered, chosen.missed, chosen.paused)
            if chosen.start is not None:
                run = run_of(request.name, chosen.start)
                state = await self._begin(request, state, chosen.start, run)
        return self._ahead(request, state)

    def _due(self, request: Request, now: float) -> list[float]:
        state, due = request.state, list[float]()
        for at in islice(occurrences(request.schedule, state.considered, state.anchor), LOOKED_AT):
            if put_off(request.schedule, request.name, at) > now:
                break
            due.append(at)
        return due

    def _ahead(self, request: Request, state: State) -> State:
        """Return the state with the next time, or with the end when there is none."""
        following = next(occurrences(request.schedule, state.considered, state.anchor), None)
        if following is None:
            return state.ended()
        return state.waiting(following, put_off(request.schedule, request.name, following))

    # -- after the last ---------------------------------------------------------------------------

    async def _after(self, request: Request) -> State:
        """Start the first at once, and each of the others so long after the one before has ended."""
        state, now = request.state, self.clock.now()
        schedule = request.schedule
        if state.at is not None and now < state.due:
            return state
        if state.at is not None or not state.last:
            at = state.at if state.at is not None else max(state.anchor, schedule.start or 0.0)
            if schedule.end is not None and at > schedule.end:
                return state.ended()
            if state.at is None and at > now:
                return state.waiting(at, at)
            begun = await self._begin(request, state, at, run_of(request.name, at))
            return begun.considered_until(at)
        ended = await self._end_of(state.last)
        at = (now if ended is None else ended) + (schedule.after or 0.0)
        return state.waiting(at, put_off(schedule, request.name, at))

    # -- by events --------------------------------------------------------------------------------

    async def _hear(self, order: Order, request: Request) -> State:
        """Take an event, and start the runs whose events are complete with it."""
        schedule, arrival, state = request.schedule, arrival_of(order), request.state
        if arrival is None or (schedule.start is not None and arrival.at < schedule.start):
            return state
        if schedule.end is not None and arrival.at > schedule.end:
            return state.ended()
        strategy = strategy_of(schedule, self.language)
        turn = await Gatherer(self.journal, self.language, self.oracle).turn(order.run, strategy, arrival)
        took = None if turn.taken is None else turn.taken.as_value()
        state = state.heard(arrival.at, took, turn.open, turn.lost)
        for events in turn.complete:
            run = run_of_events(request.name, arrival.at, events)
            state = await self._begin(replace(request, input=list(events)), state, arrival.at, run)
        return state

    # -- runs -------------------------------------------------------------------------------------

    async def _begin(self, request: Request, state: State, at: float, run: RunId) -> State:
        """Start the run of an occurrence, as the rule for overlaps says; the same run if it was started."""
        blocked = 0.0
        if await self.shelf.run(run) is None and state.last and state.last != run:
            last = await self.shelf.run(RunId(state.last))
            if last is not None and last.open:
                if request.schedule.overlap == "skip":
                    return state.skipped(at)
                blocked = await self._wait_for(request.schedule.overlap, RunId(state.last))
        refused = await self._start(request, run, at)
        return state.begun(at, run, blocked) if not refused else state.refused_at(at, refused)

    async def _wait_for(self, overlap: str, last: RunId) -> float:
        """Wait for the end of the run before, if the rule says so; return until when that took."""
        if overlap == "allow":
            return 0.0
        if overlap == "replace":
            try:
                word = CancelRequested(self.clock.now(), "the next run of its schedule takes its place")
                await self.conductor.tell(last, word)
            except Refusal as refusal:
                if refusal.problems[0].code not in {"E4003", "E4004"}:
                    raise
        await self._end_of(last)
        return self.clock.now() if overlap == "queue" else 0.0

    async def _start(self, request: Request, run: RunId, at: float) -> str:
        """Start a run; return the code of why not, or nothing."""
        try:
            program = await self.journal.definition(request.definition)
            origin = Origin("schedule", request.name, at)
            await self.conductor.start(Start(run, program, request.input, request.metadata, origin=origin))
        except Refusal as refusal:
            code = refusal.problems[0].code
            if code.startswith("E5") and code != "E5004":
                raise
            return "" if code in KNOWN else code
        return ""

    async def _end_of(self, run: str) -> float | None:
        """Return when a run has ended, once it has; None for one that is not there any more."""
        pause = FIRST_LOOK_SECONDS
        while True:
            found = await self.shelf.run(RunId(run))
            if found is None or found.ended_at is not None:
                return found.ended_at if found is not None else None
            await self.clock.sleep_until(self.clock.now() + pause)
            pause = min(2 * pause, LOOK_SECONDS)

    async def _hand_on(self, order: Order, request: Request, state: State) -> None:
        """Have another run go on with this schedule: the same one whenever it is asked for."""
        facts = await self.journal.read(order.run)
        first = facts[0]
        if not isinstance(first, Created):
            raise TypeError(order.run)
        program = await self.journal.definition(first.definition)
        given = state.fresh().as_value()
        if request.schedule.on is not None:
            strategy = strategy_of(request.schedule, self.language)
            given = {**given, **carried(strategy, facts, state.as_value())}
        try:
            await self.conductor.start(Start(following_of(order.run), program, given, first.metadata))
        except Refusal as refusal:
            if refusal.problems[0].code not in KNOWN:
                raise


def arrival_of(order: Order) -> Arrival | None:
    """Return the event that a turn is about."""
    given = order.request.get("arrival") if isinstance(order.request, dict) else None
    match given:
        case {"event": dict() as event, "arrived": int() | float() as at}:
            return Arrival(event, float(at))
        case _:
            return None


def following_of(run: RunId) -> RunId:
    """Return the id of the run that goes on with a schedule."""
    name, _, number = run.rpartition("/")
    return RunId(f"{name}/{int(number) + 1}")
