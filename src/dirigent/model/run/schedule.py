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
    """One of `every` and `after` (seconds) and `cron` says when; the rest by what rules.

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


def as_value(schedule: Schedule) -> dict[str, Value]:
    """Return a schedule as the request of an effect carries it."""
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
    return f"cron {schedule.cron} ({schedule.zone})"
