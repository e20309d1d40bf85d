"""The recorded request of an AsyncAPI call, read and checked for shape. Pure."""

from __future__ import annotations

from dirigent.model.duration import seconds_of
from dirigent.model.record import dataclass
from dirigent.model.values import Value
from dirigent.tasks.asyncapi.document import Choice
from dirigent.tasks.http.failure import malformed


@dataclass(frozen=True, slots=True)
class Outbound:
    """A message to be sent. The texts of headers are as they go out."""

    payload: Value
    headers: dict[str, str]


@dataclass(frozen=True, slots=True)
class Stream:
    """That a message is one of many, each taken by a call of its own.

    `id` is the same for all of them, `after` where the one before stands, as the driver said. The `last` one
    is followed by none; to `leave` is to take none and to part.
    """

    id: str
    after: Value = None
    last: bool = False
    leave: bool = False


@dataclass(frozen=True, slots=True)
class Consumption:
    """How long messages are taken. Expressions see a message as `.`, and `variables` as they were.

    `ends_at` is seconds since the epoch, None where no time is given.
    """

    variables: dict[str, Value]
    filter: str | None = None
    amount: int | None = None
    go_on: str | None = None
    until: str | None = None
    ends_at: float | None = None
    stream: Stream | None = None


@dataclass(frozen=True, slots=True)
class Wanted:
    """One call: a message to send, or how messages are taken."""

    operation: str
    channel: str
    choice: Choice
    what: Outbound | Consumption

    @property
    def place(self) -> str:
        """Return the operation for people."""
        verb = "send" if isinstance(self.what, Outbound) else "receive"
        return f"{verb} `{self.operation or self.channel}`"


def wanted_of(request: dict[str, Value]) -> Wanted:
    """Return the call of a request, or raise `CallFailed` naming what is wrong with it."""
    operation, channel = _text(request, "operation"), _text(request, "channel")
    if not operation and not channel:
        raise malformed("`operation` or `channel` must be a text")
    server = _members(request, "server")
    choice = Choice(_text(server, "name"), _members(server, "variables"), _text(request, "protocol"))
    message, subscription = request.get("message"), request.get("subscription")
    if (message is None) == (subscription is None):
        raise malformed("either `message` or `subscription` must be given")
    if message is None:
        consumption = _consumption(_members(request, "subscription"), _stream(_members(request, "stream")))
        return Wanted(operation, channel, choice, consumption)
    found = _members(request, "message")
    headers = {
        name: text if isinstance(text, str) else _scalar(name, text)
        for name, text in _members(found, "headers").items()
        if text is not None
    }
    return Wanted(operation, channel, choice, Outbound(found.get("payload"), headers))


def _consumption(subscription: dict[str, Value], stream: Stream | None) -> Consumption:
    consume = _members(subscription, "consume")
    amount = consume.get("amount")
    if amount is not None and (isinstance(amount, bool) or not isinstance(amount, int) or amount < 1):
        raise malformed(f"`consume.amount` is `{amount}`; it must be a whole number from 1 on")
    ends_at = None
    try:
        if consume.get("for") is not None:
            began = consume.get("began")
            ends_at = (began / 1000 if isinstance(began, int | float) else 0) + seconds_of(consume.get("for"))
    except ValueError as error:
        raise malformed(f"`consume.for`: {error}") from None
    return Consumption(
        variables=_members(subscription, "variables"),
        filter=_text(subscription, "filter") or None,
        amount=amount,
        go_on=_text(consume, "while") or None,
        until=_text(consume, "until") or None,
        ends_at=ends_at,
        stream=stream,
    )


def _stream(given: dict[str, Value]) -> Stream | None:
    if not given:
        return None
    return Stream(
        _text(given, "id"), given.get("after"), given.get("last") is True, given.get("leave") is True
    )


def _members(holder: dict[str, Value], name: str) -> dict[str, Value]:
    value = holder.get(name)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise malformed(f"`{name}` must be an object")
    return value


def _text(holder: dict[str, Value], name: str) -> str:
    value = holder.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise malformed(f"`{name}` must be a text")
    return value


def _scalar(name: str, value: Value) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    raise malformed(f"the header `{name}` must be a text, a number or a boolean")
