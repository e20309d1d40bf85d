"""Events over HTTP, as CloudEvents say: structured, binary or in batches, through the guarded client.

Law: only an answer of 2xx means delivered. A redirect is none: whoever is to have events is named.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, assert_never
from urllib.parse import quote

from dirigent.model.events.listening import Event
from dirigent.model.events.sink import Mode
from dirigent.model.ids import EffectId, Position, RunId, digest_of
from dirigent.model.problem import Refusal
from dirigent.model.program import OnDoubt
from dirigent.model.record import dataclass
from dirigent.model.run.effect import Broken, Done, Doubt, Order
from dirigent.model.values import Value
from dirigent.ports import Performer
from dirigent.ports.events import Undelivered

ONE: Final = "application/cloudevents+json; charset=utf-8"
BATCH: Final = "application/cloudevents-batch+json; charset=utf-8"
_BODY: Final = frozenset({"data", "data_base64", "datacontenttype"})
# What may stand in a header as it is (CloudEvents, HTTP binding, 3.1.3.2): printable ASCII but `"` and `%`.
_PLAIN: Final = "".join(chr(n) for n in range(0x21, 0x7F) if chr(n) not in '"%')


@dataclass(frozen=True, slots=True)
class Poster:
    """Sends events by the performer of calls. `request` is the call without its body.

    With `batch` above 1 events go as a list, though it be a list of one.
    """

    performer: Performer
    sink: str
    request: Mapping[str, Value]
    hosts: tuple[str, ...] = ()
    mode: Mode = Mode.STRUCTURED
    batch: int = 1

    async def send(self, events: Sequence[Event]) -> None:
        """Send events. Raises `Undelivered`."""
        keys = "\n".join(f"{event.get('source')} {event.get('id')}" for event in events)
        order = Order(
            run=RunId(f"sink-{self.sink}"),
            position=Position("/"),
            attempt=1,
            # A server that honours keys takes what comes again for what it has.
            id=EffectId(digest_of(f"{self.sink}\n{keys}".encode())),
            function="http",
            request={**self.request, "output": "raw", "redirect": False, **self._content(events)},
            on_doubt=OnDoubt.REPEAT,
            hosts=self.hosts,
        )
        try:
            outcome = await self.performer.perform(order)
        except Refusal as refusal:
            raise Undelivered(str(refusal)) from None
        match outcome:
            case Done():
                return
            case Broken(fault):
                raise Undelivered(fault.detail or fault.title)
            case Doubt(reason):
                raise Undelivered(reason)
            case _:
                assert_never(outcome)

    def _content(self, events: Sequence[Event]) -> dict[str, Value]:
        own = self.request.get("headers")
        headers: dict[str, Value] = dict(own) if isinstance(own, dict) else {}
        if self.batch > 1:
            return {"headers": {**headers, "Content-Type": BATCH}, "body": list(events), "has_body": True}
        event = events[0]
        if self.mode is Mode.STRUCTURED:
            return {"headers": {**headers, "Content-Type": ONE}, "body": event, "has_body": True}
        return {"headers": {**headers, **headers_of(event)}, **body_of(event)}


def headers_of(event: Event) -> dict[str, Value]:
    """Return the attributes of an event as headers."""
    found: dict[str, Value] = {
        f"ce-{name}": quote(_text(value), safe=_PLAIN)
        for name, value in event.items()
        if name not in _BODY and value is not None
    }
    if "data" in event or "data_base64" in event:
        media = "application/json" if "data" in event else "application/octet-stream"
        found["Content-Type"] = event.get("datacontenttype") or media
    return found


def body_of(event: Event) -> dict[str, Value]:
    """Return the data of an event as the body of a call."""
    if "data_base64" in event:
        return {"body": {"base64": event["data_base64"]}, "has_body": True}
    if "data" in event:
        return {"body": event["data"], "has_body": True}
    return {"has_body": False}


def _text(value: Value) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
