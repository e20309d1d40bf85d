"""Whether a value is an event of CloudEvents 1.0, and events that a task makes."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from typing import Final, assert_never

from dirigent.core.storable import unstorable
from dirigent.model import limits
from dirigent.model.events.attributes import VERSION, attribute_complaint
from dirigent.model.events.listening import Event, Read
from dirigent.model.problem import refuse
from dirigent.model.values import SecretText, Unknown, Value, holds

JSON_TYPE: Final = "application/json"
DATA: Final = frozenset({"data", "data_base64"})
REQUIRED: Final = ("id", "source", "type")


def complaint(value: Value) -> str:
    """Return why a value is no CloudEvent, in words; empty when it is one."""
    if not isinstance(value, dict):
        return "it is no object"
    for name in REQUIRED:
        if name not in value:
            return f"it has no `{name}`"
    if value.get("specversion") != VERSION:
        return f"its `specversion` must be `{VERSION}`"
    words = next(filter(None, (attribute_complaint(*each) for each in value.items())), "")
    if words:
        return words
    if value.keys() >= DATA:
        return "it has both `data` and `data_base64`"
    reason = unstorable(value)
    return reason or ""


def check_event(event: Value) -> None:
    """Raise `Refusal` for what comes from outside and is no event (E4100), or is too large (E4101)."""
    words = complaint(event)
    if words:
        raise refuse(
            "E4100",
            f"this is no CloudEvent: {words}",
            "an event has at least `specversion: 1.0`, `id`, `source` and `type`",
        )
    if isinstance(event, dict) and size(event) > limits.EVENT_BYTES:
        raise refuse(
            "E4101",
            f"the event `{event['id']}` has `{size(event)}` bytes; `{limits.EVENT_BYTES}` are allowed",
            "send large content by reference: a URL in `data`",
        )


def made(given: Value, identity: str, now: float) -> Event:
    """Return the event that a task makes of what its template gave: an id and a time where there is none.

    Raises `ValueError` with words for what is no event.
    """
    members = given if isinstance(given, dict) else {}
    extensions = members.get("extensions")
    if not members or not isinstance(extensions, dict | None):
        raise ValueError("it and its `extensions` must be objects")
    event: Event = {"specversion": VERSION, "id": identity}
    event.update((name, value) for name, value in members.items() if name != "extensions")
    event.update(extensions or {})
    event.setdefault("time", moment(now))
    if "data" in event:
        event.setdefault("datacontenttype", JSON_TYPE)
    # What was computed to nothing was not given.
    found = {name: value for name, value in event.items() if value is not None or name == "data"}
    if holds_secret(found):
        raise ValueError("it holds a secret, and events are for everybody")
    words = complaint(found)
    if words:
        raise ValueError(words)
    if size(found) > limits.EVENT_BYTES:
        raise ValueError(f"it is larger than {limits.EVENT_BYTES} bytes")
    return found


def moment(at: float) -> str:
    """Return a time as text, in UTC."""
    return datetime.fromtimestamp(at, tz=UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def size(event: Event) -> int:
    """Return how many bytes an event has as JSON."""
    return len(
        json.dumps(event, ensure_ascii=False, separators=(",", ":"), default=str).encode(errors="replace")
    )


def holds_secret(value: Value) -> bool:
    """Return whether there is something in a value that must not leave, or is not known."""
    return holds(value, (SecretText, Unknown))


def read(event: Event, how: Read) -> Value:
    """Return what a listener is given of an event."""
    match how:
        case Read.ENVELOPE:
            return event
        case Read.DATA:
            return event["data"] if "data" in event else event.get("data_base64")
        case Read.RAW:
            return _raw(event)
        case _:
            assert_never(how)


def _raw(event: Event) -> Value:
    """Return the bytes of an event's data in base 64, None when it has none."""
    if "data_base64" in event:
        return event["data_base64"]
    if "data" not in event:
        return None
    data, kind = event["data"], str(event.get("datacontenttype", JSON_TYPE))
    if isinstance(data, str) and not is_json(kind):
        content = data.encode()
    else:
        content = json.dumps(data, ensure_ascii=False, separators=(",", ":"), default=str).encode()
    return base64.b64encode(content).decode()


def is_json(media_type: str) -> bool:
    """Return whether data of a media type is JSON."""
    bare = media_type.partition(";")[0].strip().lower()
    return bare.endswith(("/json", "+json"))
