"""When a workflow is to be run by itself, and by what rules."""

from __future__ import annotations

from typing import Final

from dirigent.model.record import dataclass
from dirigent.model.values import Value

MISFIRES: Final = ("none", "last", "all")
OVERLAPS: Final = ("allow", "skip", "queue", "replace")
# What is later than this was missed: nobody was there when it was due.
LATE_SECONDS: Final = 60.0
# The kind of the program that a schedule is: one run of it for each.
KIND: Final = "schedule"


@dataclass(frozen=True, slots=True)
class Schedule:
    """One of `every` and `after` (seconds), `cron` and `on` says when; the rest by what rules.

    `on` is an event consumption strategy as it is written, in a document that may be `loose`.

    `zone` is that of `cron`. `misfire` is what becomes of occurrences at whose time no engine ran, `overlap`
    of one that comes while the run before it is open. Each is put off by up to `jitter` seconds. Outside of
    `start` and `end` (seconds since the epoch) nothing occurs.
    """

    every: float | None = None
    cron: str = ""
    after: float | None = None
    zone: str = "UTC"
    misfire: str = "last"
    overlap: str = "allow"
    jitter: float = 0.0
    start: float | None = None
    end: float | None = None
    on: Value = None
    loose: bool = False


def as_value(schedule: Schedule) -> dict[str, Value]:
    """Return a schedule as the request of an effect carries it.

    What only events need is left out elsewhere: a schedule of an older release is still the same one.
    """
    events: dict[str, Value] = {} if schedule.on is None else {"on": schedule.on, "loose": schedule.loose}
    return {
        "every": schedule.every,
        "cron": schedule.cron,
        "after": schedule.after,
        "zone": schedule.zone,
        "misfire": schedule.misfire,
        "overlap": schedule.overlap,
        "jitter": schedule.jitter,
        "start": schedule.start,
        "end": schedule.end,
        **events,
    }


def of_value(value: Value) -> Schedule:
    """Return the schedule of such a value."""
    given = value if isinstance(value, dict) else {}
    return Schedule(
        every=_number(given.get("every")),
        cron=_text(given.get("cron"), ""),
        after=_number(given.get("after")),
        zone=_text(given.get("zone"), "UTC"),
        misfire=_text(given.get("misfire"), "last"),
        overlap=_text(given.get("overlap"), "allow"),
        jitter=_number(given.get("jitter")) or 0.0,
        start=_number(given.get("start")),
        end=_number(given.get("end")),
        on=given.get("on"),
        loose=given.get("loose") is True,
    )


def _number(value: Value) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _text(value: Value, otherwise: str) -> str:
    return value if isinstance(value, str) else otherwise


def worded(schedule: Schedule) -> str:
    """Return when it occurs, in a few words."""
    if schedule.every is not None:
        return f"every {schedule.every:g} s"
    if schedule.after is not None:
        return f"{schedule.after:g} s after the end of the last"
    if schedule.on is not None:
        return f"on {_events(schedule.on)}"
    return f"cron {schedule.cron} ({schedule.zone})"


def _events(strategy: Value) -> str:
    """Return which events a strategy waits for, in a few words."""
    members = strategy if isinstance(strategy, dict) else {}
    for quorum, joint in (("one", " or "), ("all", " and "), ("any", " or ")):
        if quorum in members:
            filters = members[quorum]
            found = [_kind(each) for each in (filters if isinstance(filters, list) else [filters])]
            until = members.get("until")
            end = f" until {_events(until) if isinstance(until, dict) else until}" if until else ""
            return (joint.join(found) or "any event") + end
    return "any event"


def _kind(written: Value) -> str:
    wanted = written.get("with") if isinstance(written, dict) else None
    members = wanted if isinstance(wanted, dict) else {}
    kind = members.get("type")
    return kind if isinstance(kind, str) else ", ".join(f"{name} {members[name]}" for name in members)
