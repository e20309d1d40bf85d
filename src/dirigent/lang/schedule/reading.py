"""The section `schedule` of a document, and what a stack says about it, as a schedule."""

from __future__ import annotations

from datetime import UTC, datetime

from dirigent.model.duration import seconds_of
from dirigent.model.run.schedule import Schedule
from dirigent.model.values import Value

KINDS = ("every", "cron", "after", "on")


def schedule_of(written: Value, policy: Value = None, *, loose: bool = False) -> Schedule | None:
    """Return the schedule that a document has, under what its stack says; None where neither says when.

    Both have been checked. What a stack writes goes before what the document writes, which may be `loose`.
    """
    own = written if isinstance(written, dict) else {}
    more = policy if isinstance(policy, dict) else {}
    if any(kind in more for kind in KINDS):
        own = {}
    said = {**own, **more}
    every, after, cron, on = (said.get(kind) for kind in ("every", "after", "cron", "on"))
    if every is None and after is None and on is None and not isinstance(cron, str):
        return None
    return Schedule(
        every=None if every is None else seconds_of(every),
        cron=cron if isinstance(cron, str) else "",
        after=None if after is None else seconds_of(after),
        zone=str(said.get("zone") or "UTC"),
        misfire=str(said.get("misfire") or "last"),
        overlap=str(said.get("overlap") or "allow"),
        jitter=seconds_of(said.get("jitter") or 0),
        start=moment_of(said.get("start")),
        end=moment_of(said.get("end")),
        on=on,
        loose=loose and "on" in own,
    )


def moment_of(written: Value) -> float | None:
    """Return a time in ISO 8601 as seconds since the epoch; without an offset it is in UTC."""
    if not isinstance(written, str):
        return None
    moment = datetime.fromisoformat(written)
    return (moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)).timestamp()


def moment_fault(text: str) -> str:
    """Return what is wrong with a time, or nothing."""
    try:
        moment_of(text)
    except ValueError:
        return f"`{text}` is no time such as `2026-11-23T03:00:00Z`"
    return ""
