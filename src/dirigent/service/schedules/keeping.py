"""Make the schedules that run those that a stack declares.

Rule: a schedule that did not change goes on; one that did is another one, and so is one that comes back.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from dirigent.core.events.gathering import gathered
from dirigent.core.events.matching import plain
from dirigent.jq import LANGUAGE
from dirigent.lang.schedule.events import strategy_of
from dirigent.lang.schedule.program import program_of
from dirigent.model.events.listening import Strategy
from dirigent.model.ids import Digest, RunId, digest_of
from dirigent.model.problem import Refusal
from dirigent.model.record import dataclass
from dirigent.model.run.journal import CancelRequested, Created, Succeeded
from dirigent.model.run.schedule import KIND, Schedule, of_value
from dirigent.model.run.start import Start
from dirigent.model.run.summary import RunSummary
from dirigent.model.stack import Stack
from dirigent.model.values import Value
from dirigent.ports import Journal, Shelf
from dirigent.service.plans import Planner
from dirigent.service.runs import Driven, of_stack
from dirigent.stores import codec

LISTED = 10_000
PREFIX = "schedule:"


@dataclass(frozen=True, slots=True)
class Change:
    """What became of one schedule: `active`, `changed` or `removed`."""

    name: str
    what: str


async def keep(desk: Driven, planner: Planner, stack: Stack, inputs: Mapping[str, Value]) -> list[Change]:
    """Have exactly the schedules run that a stack declares, and say what changed."""
    changes: list[Change] = []
    standing = await open_schedules(desk.shelf, stack.name)
    for name, schedule in stack.schedules.items():
        wanted = await of_stack(planner, stack, inputs, name, None)
        full = f"{stack.name}.{name}"
        given, metadata = wanted.input, dict(wanted.metadata)
        definition = digest_of(codec.encode(wanted.program))
        strategy = None if schedule.on is None else strategy_of(schedule, LANGUAGE)
        program = program_of(full, schedule, definition, given, metadata, strategy)
        before = [run for run in standing if run.name == full]
        same = [run for run in before if run.definition == digest_of(codec.encode(program))]
        if same:
            await _end(desk, [run for run in before if run is not same[0]], "there is another one")
            continue
        await desk.conductor.keep(wanted.program)
        await _end(desk, before, "the schedule was changed")
        now = desk.clock.now()
        last = (await state_of(desk.journal, before[0].id)).get("last") if before else ""
        state: dict[str, Value] = {"anchor": now, "considered": now, "last": last}
        if strategy is not None and before:
            state |= await _carried(desk.journal, before[0].id, schedule, strategy)
        run = await _next_id(desk.shelf, full)
        await desk.conductor.start(Start(run, program, state, {"stack": stack.name}))
        changes.append(Change(name, "changed" if before else "active"))
    declared = {f"{stack.name}.{name}" for name in stack.schedules}
    gone = [run for run in standing if run.name not in declared]
    await _end(desk, gone, "the stack does not declare it any more")
    return [*changes, *(Change(run.name.partition(".")[2], "removed") for run in gone)]


async def _carried(journal: Journal, run: RunId, schedule: Schedule, strategy: Strategy) -> dict[str, Value]:
    """Return from where another schedule that waits for the same events goes on; nothing for other events."""
    facts = await journal.read(run)
    if not facts or not isinstance(facts[0], Created):
        return {}
    before = of_value(_members((await journal.definition(facts[0].definition)).definition).get("schedule"))
    if (before.on, before.loose) != (schedule.on, schedule.loose):
        return {}
    gathering, _ = gathered(plain(strategy), facts)
    return gathering.as_value()


async def remove(desk: Driven, stack: str) -> list[Change]:
    """End every schedule of a stack, also one that has just gone on as another run."""
    removed: list[Change] = []
    while found := await open_schedules(desk.shelf, stack):
        await _end(desk, found, "the stack was taken down")
        removed += [Change(run.name.partition(".")[2], "removed") for run in found]
    return removed


async def open_schedules(shelf: Shelf, stack: str = "") -> list[RunSummary]:
    """Return the schedules that run, those of one stack or all."""
    found = await shelf.runs(only_open=True, limit=LISTED)
    return [run for run in found if run.kind == KIND and (not stack or run.name.startswith(f"{stack}."))]


async def state_of(journal: Journal, run: RunId) -> dict[str, Value]:
    """Return what a schedule came to with its last turn; before the first it is what it began with."""
    facts = await journal.read(run)
    for fact in reversed(facts):
        if isinstance(fact, Succeeded) and isinstance(fact.output, dict):
            return fact.output
    first = getattr(facts[0], "input", None) if facts else None
    return first if isinstance(first, dict) else {}


async def _end(desk: Driven, found: Sequence[RunSummary], reason: str) -> None:
    for run in found:
        try:
            await desk.conductor.tell(run.id, CancelRequested(desk.clock.now(), reason))
        except Refusal as refusal:
            if refusal.problems[0].code not in {"E4003", "E4004"}:
                raise
        await desk.conductor.wait(run.id)


async def _next_id(shelf: Shelf, name: str) -> RunId:
    """Return the id of the next run of a schedule: two who ask at once get the same one."""
    head = f"{PREFIX}{name}/"
    numbers = [
        int(run.id.removeprefix(head))
        for run in await shelf.runs(limit=LISTED)
        if run.id.startswith(head) and run.id.removeprefix(head).isdecimal()
    ]
    return RunId(f"{head}{max(numbers, default=0) + 1}")


def _members(value: Value) -> dict[str, Value]:
    return value if isinstance(value, dict) else {}


def target_of(definition: Value) -> tuple[Digest, Value, dict[str, Value]]:
    """Return what a schedule runs: the definition, the input and the metadata."""
    given = _members(definition)
    metadata = given.get("metadata")
    return (
        Digest(str(given.get("definition"))),
        given.get("input"),
        metadata if isinstance(metadata, dict) else {},
    )
