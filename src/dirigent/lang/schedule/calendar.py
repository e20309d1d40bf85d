"""The times at which a schedule occurs. Pure: given a time, they are always the same.

Law 1: an occurrence is a point in time, whatever clocks show: none comes twice, also not when an hour does.
Law 2: the jitter of an occurrence depends on its schedule and its time alone.
A cron expression at a fixed hour that a change of the clock leaves out occurs just after the change.
"""

from __future__ import annotations

import importlib
import math
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, tzinfo
from hashlib import blake2b
from typing import Final, cast

from dirigent.model.events.listening import Event, key_of
from dirigent.model.ids import RunId
from dirigent.model.run.schedule import Schedule

SHORTEST_SECONDS: Final = 0.1


def occurrences(schedule: Schedule, since: float, anchor: float) -> Iterator[float]:
    """Yield the times of a schedule after `since`, in order; `anchor` is when it was made.

    One that follows the end of a run (`after`) has no times of its own. Raises `ValueError` for a cron
    expression or a time zone that is none.
    """
    found = _intervals(schedule.every, since, anchor) if schedule.every is not None else iter(())
    if schedule.cron:
        found = _cron(schedule.cron, schedule.zone, since)
    for at in found:
        if schedule.end is not None and at > schedule.end:
            return
        if schedule.start is None or at >= schedule.start:
            yield at


def _intervals(every: float, since: float, anchor: float) -> Iterator[float]:
    number = max(1, math.floor((since - anchor) / every + 1e-9) + 1)
    while True:
        at = round(anchor + number * every, 6)
        if at > since:
            yield at
        number += 1


def _cron(text: str, zone: str, since: float) -> Iterator[float]:
    begin = datetime.fromtimestamp(since, tz=UTC).astimezone(zone_of(zone))
    for moment in _times(text, begin):
        at = moment.timestamp()
        if at > since:
            yield at


def _times(text: str, begin: datetime) -> Iterator[datetime]:
    """Return what the expression names after a time. The library is found when it is first needed."""
    library = importlib.import_module("cronsim")
    failure = cast("type[Exception]", library.CronSimError)
    make = cast("Callable[[str, datetime], Iterator[datetime]]", library.CronSim)
    try:
        return make(text, begin)
    except failure as refused:
        raise ValueError(f"`{text}` is no cron expression: {str(refused).lower()}") from None


def zone_of(name: str) -> tzinfo:
    """Return a time zone. Raises `ValueError` for one that this machine does not know."""
    zoneinfo = importlib.import_module("zoneinfo")
    missing = cast("type[Exception]", zoneinfo.ZoneInfoNotFoundError)
    make = cast("Callable[[str], tzinfo]", zoneinfo.ZoneInfo)
    try:
        return UTC if name == "UTC" else make(name)
    except (missing, ValueError, OSError):
        raise ValueError(f"`{name}` is no time zone that this machine knows") from None


def cron_fault(text: str) -> str:
    """Return what is wrong with a cron expression, or nothing."""
    try:
        next(_times(text, datetime(2024, 1, 1, tzinfo=UTC)))
    except ValueError as fault:
        return str(fault)
    except StopIteration:
        return f"`{text}` never comes"
    return ""


def zone_fault(name: str) -> str:
    """Return what is wrong with the name of a time zone, or nothing."""
    try:
        zone_of(name)
    except ValueError as fault:
        return str(fault)
    return ""


def put_off(schedule: Schedule, name: str, at: float) -> float:
    """Return when an occurrence is due: so much after its time as the jitter draws for it."""
    if not schedule.jitter:
        return at
    drawn = int.from_bytes(blake2b(f"{name}\n{at!r}".encode(), digest_size=7).digest()) / 2**56
    return at + schedule.jitter * drawn


def stamp(at: float) -> str:
    """Return a time as the id of a run names it, in UTC."""
    moment = datetime.fromtimestamp(at, tz=UTC)
    return moment.isoformat(timespec="milliseconds" if moment.microsecond else "seconds").replace(
        "+00:00", "Z"
    )


def run_of(name: str, at: float) -> RunId:
    """Return the id of the run of an occurrence."""
    return RunId(f"{name}@{stamp(at)}")


def run_of_events(name: str, at: float, events: Sequence[Event]) -> RunId:
    """Return the id of the run that events start, of which the last arrived at a time."""
    keys = "\n\n".join(key_of(event) for event in events)
    return RunId(f"{name}@{stamp(at)}-{blake2b(keys.encode(), digest_size=6).hexdigest()}")
