"""Events from outside: read from text, filled in, and taken into the log of a store."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator, Mapping, Sequence
from typing import Final, cast

from dirigent.core.events.shape import check_event, moment, size
from dirigent.model import limits
from dirigent.model.events.listening import Event
from dirigent.model.problem import refuse
from dirigent.model.values import Value
from dirigent.ports import Conductor

# The standard wants a source; this says no more than that somebody typed.
SOURCE: Final = "/dirigent/emit"
TOGETHER_BYTES: Final = limits.PAYLOAD_BYTES


def filled(given: Mapping[str, Value], now: float) -> Event:
    """Return an event with an id and a time where it has none, or raise `Refusal` (E4100, E4101)."""
    event: Event = {"specversion": "1.0", "id": secrets.token_hex(16), "source": SOURCE, "time": moment(now)}
    event.update(given)
    if "data" in event:
        event.setdefault("datacontenttype", "application/json")
    check_event(event)
    return event


def read(text: str, where: str, now: float) -> list[Event]:
    """Return the events of a text: one as JSON, a list of them, or one on each line. Raises `Refusal`."""
    values = _values(text, where)
    events = []
    for each in values:
        if not isinstance(each, dict):
            raise refuse(
                "E7061",
                f"`{where}` holds something that is no event: `{json.dumps(each)[:60]}`",
                "an event is a JSON object with at least `type`",
            )
        events.append(filled(cast("Mapping[str, Value]", each), now))
    return events


def _values(text: str, where: str) -> list[object]:
    try:
        whole: object = json.loads(text)
    except ValueError as whole_failure:
        lines = [(number, line) for number, line in enumerate(text.splitlines(), 1) if line.strip()]
        if not lines[1:]:
            raise _no_json(where, str(whole_failure)) from None
        found = []
        for number, line in lines:
            try:
                found.append(json.loads(line))
            except ValueError as failure:
                raise _no_json(f"{where}:{number}", str(failure)) from None
        return found
    except RecursionError:
        raise _no_json(where, "it is nested too deeply") from None
    return whole if isinstance(whole, list) else [whole]


def _no_json(where: str, why: str) -> Exception:
    return refuse(
        "E7061",
        f"`{where}` is no JSON: {why}",
        "give one event as an object, several as a list, or one on each line",
    )


async def emit(conductor: Conductor, events: Sequence[Event]) -> list[bool]:
    """Take events in; return of each whether it is new. Durable when this returns."""
    fresh: list[bool] = []
    for part in _parts(events):
        fresh += await conductor.take_events(part)
    return fresh


def _parts(events: Sequence[Event]) -> Iterator[list[Event]]:
    """Yield the events in parts that one message can carry."""
    part: list[Event] = []
    weight = 0
    for event in events:
        amount = size(event)
        if part and (weight + amount > TOGETHER_BYTES or len(part) >= limits.EVENTS_TOGETHER):
            yield part
            part, weight = [], 0
        part.append(event)
        weight += amount
    if part:
        yield part
