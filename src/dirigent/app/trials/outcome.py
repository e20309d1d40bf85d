"""What a test came to, from the journals of its runs and what the world was asked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from dirigent.core.machine import Moment, Run, Tools
from dirigent.core.replay import replay
from dirigent.lang.trial.trial import Holds, Trial
from dirigent.model.fault import Fault
from dirigent.model.ids import RunId
from dirigent.model.program import Code, Program
from dirigent.model.record import dataclass
from dirigent.model.run.journal import Awaited, Created, Emitted, Ended, Fact, Intended, TimerSet
from dirigent.model.source import Span
from dirigent.model.values import Value
from dirigent.ports import Oracle
from dirigent.testing.memory import MemoryStore
from dirigent.testing.trial.coming import ENDLESS, Came, Started, count_of
from dirigent.testing.trial.comparing import shown
from dirigent.testing.trial.computing import computed
from dirigent.testing.trial.world import World, pointer_of

_ENDED = ("completed", "faulted", "cancelled")


@dataclass(frozen=True, slots=True)
class Stand:
    """Where the run of a test stands when nothing happens any more; `endless` says that it was stopped."""

    run: RunId
    facts: Sequence[Fact]
    now: float
    endless: bool


@dataclass(frozen=True, slots=True)
class _Told:
    """What one journal tells."""

    names: list[tuple[str, str]]
    state: Run

    @property
    def waits(self) -> list[str]:
        """Return the positions at which it stands."""
        return [f"`{key[0]}` ({key[2]})" for key in self.state.asks]


async def outcome_of(stand: Stand, trial: Trial, tools: Tools, store: MemoryStore, world: World) -> Came:
    """Return what a test came to."""
    last = stand.facts[-1] if stand.facts else None
    end = last if isinstance(last, Ended) else None
    first = stand.facts[0].at if stand.facts else trial.start
    told: list[_Told] = []
    emitted: list[Value] = []
    starts: list[Started] = []
    scheduled = trial.scheduled is not None
    for run, program in world.programs.items():
        facts = stand.facts if run == stand.run else await store.read(run)
        emitted += [dict(fact.event) for fact in facts if isinstance(fact, Emitted)]
        if scheduled and run == stand.run:
            continue
        told.append(_told(run, program, facts, tools))
        if scheduled:
            starts += await _started(run, facts, store)
    context = told[0].state.root.thread.context if told and told[0].state.root is not None else None
    phase = end.phase if end else _standing(await _phase(store, stand.run))
    return Came(
        ENDLESS if stand.endless and (scheduled or end is None) else phase,
        (end.at if end else stand.now) - first,
        shown(end.output) if end and not scheduled else None,
        end.fault if end and not scheduled else None,
        count_of([name for each in told for name in each.names]),
        tuple(world.calls),
        tuple(emitted),
        tuple(world.strange),
        tuple(wait for each in told for wait in each.waits),
        (),
        dict(world.served),
        context=shown(context),
        order=[each.names for each in told],
        starts=sorted(starts, key=lambda each: each.at),
    )


async def with_answers(came: Came, trial: Trial, oracle: Oracle) -> Came:
    """Return what a run came to, with what the expressions of the test give of it."""
    dot = came.as_value()
    found: dict[Span, Value | Fault] = {}
    for each in trial.expectations:
        if isinstance(each, Holds):
            found[each.span] = await computed(each.expression, dot, oracle)
    return replace(came, computed=found)


async def _started(run: RunId, facts: Sequence[Fact], store: MemoryStore) -> list[Started]:
    first = facts[0] if facts else None
    if not isinstance(first, Created) or first.origin is None or first.origin.kind != "schedule":
        return []
    phase = await _phase(store, run)
    return [Started(first.origin.due, first.at, run, phase if phase in _ENDED else _standing(phase))]


async def _phase(store: MemoryStore, run: RunId) -> str:
    found = await store.run(run)
    return found.phase if found else ""


def _standing(phase: str) -> str:
    """Return in one word why a run that has not ended stands still."""
    return phase if phase in ("held", "suspended") else "waiting"


def _begins(fact: Fact) -> bool:
    """Return whether something of a workflow in Python begins: a step, a wait for an event, or a sleep."""
    return isinstance(fact, Intended | Awaited) or (isinstance(fact, TimerSet) and fact.purpose == "wait")


def _named(fact: Fact) -> tuple[str, str]:
    pointer = pointer_of(str(getattr(fact, "position", "")))
    return pointer.rpartition("/")[2], pointer


def _told(run: RunId, program: Program, facts: Sequence[Fact], tools: Tools) -> _Told:
    """Return name and pointer of each task that ran, in order, and the state in which the run is."""
    if isinstance(program.root.node, Code):
        return _Told([_named(fact) for fact in facts if _begins(fact)], replay(program, run, facts, tools))
    moments: list[Moment] = []
    state = replay(program, run, facts, tools, moments.append)
    skipped = Counter(moment.position for moment in moments if moment.what == "skipped")
    names: list[tuple[str, str]] = []
    for moment in moments:
        if moment.what != "entered" or not moment.position:
            continue
        if skipped[moment.position]:
            skipped[moment.position] -= 1
        else:
            names.append((moment.task.name, moment.task.pointer))
    return _Told(names, state)
