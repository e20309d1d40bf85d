"""List schedules, look ahead with the reason for each time that is passed over, pause, fill up a range."""

from __future__ import annotations

import difflib
import math
from collections.abc import Sequence
from itertools import islice
from typing import Final

from dirigent.lang.schedule.calendar import occurrences, put_off, run_of
from dirigent.lang.schedule.reading import moment_of
from dirigent.model.ids import RunId
from dirigent.model.problem import Refusal, refuse
from dirigent.model.record import dataclass
from dirigent.model.run.journal import Resumed, Suspended
from dirigent.model.run.origin import Origin
from dirigent.model.run.schedule import Schedule, of_value, worded
from dirigent.model.run.start import Start
from dirigent.model.run.summary import RunSummary
from dirigent.ports import Journal, Shelf
from dirigent.service.runs import Driven, name_run
from dirigent.service.schedules.keeping import open_schedules, state_of, target_of

FILLED_MOST: Final = 10_000


@dataclass(frozen=True, slots=True)
class ScheduleView:
    """One schedule as people see it; times are seconds since the epoch."""

    name: str
    run: RunId
    when: str
    phase: str
    schedule: Schedule
    anchor: float
    considered: float
    next_at: float | None
    due_at: float | None
    last: str
    what: str
    missed: int


@dataclass(frozen=True, slots=True)
class Coming:
    """One time of a schedule: when it is due, and why it will be passed over, if it will."""

    at: float
    due: float
    skipped: str = ""


@dataclass(frozen=True, slots=True)
class Filled:
    """One time of a range that was filled up, its run, and whether that was started by this."""

    at: float
    run: RunId
    started: bool


async def listed(journal: Journal, shelf: Shelf) -> list[ScheduleView]:
    """Return every schedule that runs, by name."""
    found = [await _view(journal, run) for run in await open_schedules(shelf)]
    return sorted(found, key=lambda each: each.name)


async def _view(journal: Journal, run: RunSummary) -> ScheduleView:
    program = await journal.definition(run.definition)
    given = program.definition if isinstance(program.definition, dict) else {}
    schedule, state = of_value(given.get("schedule")), await state_of(journal, run.id)
    return ScheduleView(
        name=run.name,
        run=run.id,
        when=worded(schedule),
        phase="paused" if run.phase == "suspended" else "active",
        schedule=schedule,
        anchor=_number(state.get("anchor")) or run.created_at,
        considered=_number(state.get("considered")) or run.created_at,
        next_at=_number(state.get("at")),
        due_at=_number(state.get("due")) if state.get("at") is not None else None,
        last=str(state.get("last") or ""),
        what=str(state.get("what") or ""),
        missed=int(_number(state.get("missed")) or 0),
    )


async def named(journal: Journal, shelf: Shelf, wanted: str) -> ScheduleView:
    """Return the schedule that a person means, by `STACK.WORKFLOW` or the workflow alone.

    Raises:
        Refusal: E4180 when there is none, E4181 when there are several.
    """
    views = await listed(journal, shelf)
    found = [each for each in views if wanted in {each.name, each.name.partition(".")[2]}]
    if len(found) > 1:
        names = ", ".join(f"`{each.name}`" for each in found)
        raise refuse("E4181", f"`{wanted}` could be {len(found)} schedules: {names}", "give the whole name")
    if not found:
        near = difflib.get_close_matches(wanted, [each.name.partition(".")[2] for each in views], 1)
        meant = f"did you mean `{near[0]}`? " if near else ""
        raise refuse(
            "E4180",
            f"no schedule `{wanted}` is active",
            f"{meant}`dirigent schedule list` has all; `dirigent up` makes those of a stack active",
        )
    return found[0]


def ahead(view: ScheduleView, now: float, count: int) -> list[Coming]:
    """Return the next times of a schedule, and why each would be passed over.

    Of one that follows the end of a run only the next is known, if that; of events nothing is.
    """
    if view.schedule.on is not None:
        return []
    if view.schedule.after is not None:
        if view.next_at is None or view.due_at is None:
            return []
        return [Coming(view.next_at, view.due_at, _paused(view))]
    since = max(now, view.considered) if view.phase == "active" else now
    times = islice(occurrences(view.schedule, min(since, view.considered or since), view.anchor), 100_000)
    found: list[Coming] = []
    missed = [at for at in times if at <= now]
    if missed:
        policy = view.schedule.misfire
        words = "" if policy == "all" else f"missed: no engine ran, and `misfire` is `{policy}`"
        found += [Coming(at, put_off(view.schedule, view.name, at), _paused(view) or words) for at in missed]
        if policy == "last" and not _paused(view):
            found[-1] = Coming(missed[-1], now)
    later = occurrences(view.schedule, max(now, view.considered), view.anchor)
    for at in islice(later, max(0, count - len(found))):
        found.append(Coming(at, put_off(view.schedule, view.name, at), _paused(view)))
    return found[:count]


def _paused(view: ScheduleView) -> str:
    return "paused: nothing begins before it is resumed" if view.phase == "paused" else ""


async def pause(desk: Driven, wanted: str, reason: str, by: str) -> ScheduleView:
    """Let nothing of a schedule begin until it is resumed. Raises `Refusal` (E4180, E4181, E4003)."""
    view = await named(desk.journal, desk.shelf, wanted)
    await desk.conductor.tell(view.run, Suspended(desk.clock.now(), reason, by))
    return view


async def resume(desk: Driven, wanted: str, reason: str, by: str) -> ScheduleView:
    """Let a schedule go on; what was due meanwhile is passed over, what events came is not.

    Raises `Refusal` as `pause` does.
    """
    view = await named(desk.journal, desk.shelf, wanted)
    await desk.conductor.tell(view.run, Resumed(desk.clock.now(), reason, by))
    return view


@dataclass(frozen=True, slots=True)
class Range:
    """From when until when to fill up, as ISO 8601 texts, and whether also what ran already."""

    begin: str
    end: str
    again: bool = False
    reason: str = ""
    by: str = ""


async def backfill(desk: Driven, wanted: str, span: Range) -> list[Filled]:
    """Start a run for each time of a range; the run that a time has already is that run, unless `again`.

    Raises:
        Refusal: E4180, E4181; E4182 for a range that is none, E4183 for a schedule without times of its own,
            E4190 for one that events start.
    """
    view = await named(desk.journal, desk.shelf, wanted)
    if view.schedule.on is not None:
        raise refuse(
            "E4190",
            f"the runs of schedule `{view.name}` are started by events, so no time is without one",
            "send the events again under new ids with `dirigent emit`, or start its workflow with "
            "`dirigent run`",
        )
    begin, end = _range(span)
    if view.schedule.after is not None:
        raise refuse(
            "E4183",
            f"schedule `{view.name}` has no times of its own: each follows the end of a run",
            "start its workflow with `dirigent run`",
        )
    found = await desk.shelf.run(view.run)
    if found is None:
        raise refuse("E4180", f"no schedule `{wanted}` is active", "see `dirigent schedule list`")
    definition, given, metadata = target_of((await desk.journal.definition(found.definition)).definition)
    program = await desk.journal.definition(definition)
    times = _between(view, begin, end)
    if len(times) > FILLED_MOST:
        raise refuse(
            "E4182", f"that range has more than `{FILLED_MOST}` times", "fill it up in several parts"
        )
    filled: list[Filled] = []
    for at in times:
        run = run_of(view.name, at)
        known = await desk.shelf.run(run) is not None
        if known and span.again:
            run = name_run(run)
        origin = Origin("schedule", view.name, at, span.by, span.reason)
        if not known or span.again:
            await _started(desk, Start(run, program, given, metadata, origin=origin))
        filled.append(Filled(at, run, not known or span.again))
    return filled


async def _started(desk: Driven, start: Start) -> None:
    try:
        await desk.conductor.start(start)
    except Refusal as refusal:
        if refusal.problems[0].code != "E4002":  # The schedule was faster.
            raise


def _between(view: ScheduleView, begin: float, end: float) -> Sequence[float]:
    """Return the times of a range, also of one before the schedule was made; one more than may be filled."""
    anchor, every = view.anchor, view.schedule.every
    if every is not None and begin < anchor:
        anchor -= (math.ceil((anchor - begin) / every) + 1) * every
    found: list[float] = []
    for at in occurrences(view.schedule, begin - 1e-6, anchor):
        if at > end or len(found) > FILLED_MOST:
            break
        found.append(at)
    return found


def _range(span: Range) -> tuple[float, float]:
    try:
        begin, end = moment_of(span.begin), moment_of(span.end)
    except ValueError:
        begin = end = None
    if begin is None or end is None or end < begin:
        raise refuse(
            "E4182",
            f"`{span.begin}` to `{span.end}` is no range of time",
            "write both as `2026-11-23` or `2026-11-23T03:00:00Z`, the earlier one first",
        )
    return begin, end


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
