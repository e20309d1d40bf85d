"""Events as HTTP carries them (CloudEvents 1.0, HTTP binding): one in headers, one as JSON, or a list."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Final, cast
from urllib.parse import unquote

from dirigent.core.events.shape import check_event, is_json
from dirigent.model import limits
from dirigent.model.events.listening import Event
from dirigent.model.problem import refuse
from dirigent.model.values import Value

STRUCTURED: Final = "application/cloudevents+json"
BATCH: Final = "application/cloudevents-batch+json"
PREFIX: Final = "ce-"


def events_of(headers: Mapping[str, str], body: bytes) -> list[Event]:
    """Return the events of a request, every one checked.

    The names of `headers` are in lower case. Raises `Refusal`: E4103 for what no mode of the standard reads,
    E4100 and E4101 for what is no event, E4104 for too many.
    """
    kind = headers.get("content-type", "")
    bare = kind.partition(";")[0].strip().lower()
    if bare == STRUCTURED:
        found = [_json(body)]
    elif bare == BATCH:
        batch = _json(body)
        if not isinstance(batch, list):
            raise _unread("a batch is a JSON array of events")
        found = batch
    else:
        found = [_binary(headers, kind, body)]
    if len(found) > limits.EVENTS_TOGETHER:
        raise refuse(
            "E4104",
            f"a batch of `{len(found)}` events is too large: `{limits.EVENTS_TOGETHER}` are allowed",
            "send them in several requests",
        )
    for event in found:
        check_event(cast("Value", event))
    return cast("list[Event]", found)


def _binary(headers: Mapping[str, str], kind: str, body: bytes) -> Event:
    event: Event = {
        name.removeprefix(PREFIX): unquote(value)
        for name, value in headers.items()
        if name.startswith(PREFIX)
    }
    if not event:
        raise _unread(f"`{kind}` is no event, and there are no headers that begin with `ce-`")
    if kind:
        event["datacontenttype"] = kind
    if body:
        event.update(_content(body, kind))
    return event


def _content(body: bytes, kind: str) -> Event:
    """Return the data of an event as it can be stored: JSON as such, text as text, other bytes in base 64."""
    if not kind or is_json(kind):
        return {"data": cast("Value", _json(body))}
    try:
        return {"data": body.decode()}
    except UnicodeDecodeError:
        return {"data_base64": base64.b64encode(body).decode()}


def _json(body: bytes) -> object:
    try:
        return json.loads(body.decode("utf-8-sig"))
    except (ValueError, RecursionError) as failure:
        raise _unread(f"the body is no JSON: {failure}") from None


def _unread(why: str) -> Exception:
    return refuse(
        "E4103",
        f"the request holds no event that can be read: {why}",
        f"send one as `{STRUCTURED}`, several as `{BATCH}`, or its attributes in headers such as `ce-type`",
    )
