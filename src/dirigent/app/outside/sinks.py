"""The courier of an engine: the sinks of its stack, and those of a command. Imported when there are any."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Final, assert_never
from urllib.parse import urlsplit

from dirigent.core.render import Asking, RenderFailed, render
from dirigent.engine.events.courier import PAGE, Complain, Courier, Route
from dirigent.jq import LANGUAGE
from dirigent.model.events.cursor import Cursor
from dirigent.model.events.sink import Sink, ToFile, ToStdout, ToWeb
from dirigent.model.problem import refuse
from dirigent.model.record import dataclass
from dirigent.model.values import SecretRef, SecretText, Value
from dirigent.ports import Clock, Performer
from dirigent.ports.events import Outbox, Sender
from dirigent.tasks.events.lines import Appender, Printer
from dirigent.tasks.events.posting import Poster

STDOUT: Final = 1
# Sinks of a command, which belong to no stack.
COMMAND: Final = "command"


@dataclass(frozen=True, slots=True)
class Office:
    """Where a courier works: its log and clock, the folder of the stack, who calls over HTTP, who is told."""

    log: Outbox
    clock: Clock
    folder: Path
    performer: Performer
    complain: Complain
    holder: str = ""


async def courier_of(office: Office, stack: str, sinks: Collection[Sink], more: Collection[Sink]) -> Courier:
    """Return the courier of the sinks of a stack, and of `more` that a command named, ready to serve.

    A sink that the stack does not declare any more is forgotten.
    """
    declared = {f"{stack}/{sink.name}" for sink in sinks}
    for known in await office.log.cursors():
        if known.owner == stack and stack and known.sink not in declared:
            await office.log.drop_cursor(known.sink)
    routes = [_route(office, sink, owner) for sink, owner in _owned(stack, sinks, more)]
    courier = Courier(office.log, office.clock, routes, office.complain, office.holder)
    await courier.open()
    return courier


def office_of(
    log: Outbox, clock: Clock, folder: Path, performer: Performer, complain: Complain, holder: str
) -> Office:
    """Return where a courier works."""
    return Office(log, clock, folder, performer, complain, holder)


async def parted(courier: Courier, seconds: float) -> None:
    """Deliver what can be delivered at once. A sink of a command that has everything is forgotten."""
    if not courier.routes:
        return
    await courier.settle(seconds)
    end = await courier.log.log_end()
    for route in courier.routes:
        if route.cursor.owner != COMMAND:
            continue
        if route.known == end and not route.failures:
            await courier.log.drop_cursor(route.cursor.sink)
        else:
            courier.complain(route.cursor.sink, "not all were delivered; the same `--events` goes on there")


def _owned(stack: str, sinks: Iterable[Sink], more: Iterable[Sink]) -> list[tuple[Sink, str]]:
    return [*((sink, stack) for sink in sinks), *((sink, COMMAND) for sink in more)]


def _route(office: Office, sink: Sink, owner: str) -> Route:
    # Stacks that share a store may use the same names.
    name = f"{owner}/{sink.name}"
    cursor = Cursor(name, types=sink.types, sources=sink.sources, owner=owner)
    batch = sink.to.batch if isinstance(sink.to, ToWeb) else PAGE
    return Route(cursor, _sender(office, sink), batch)


def _sender(office: Office, sink: Sink) -> Sender:
    match sink.to:
        case ToStdout():
            return Printer(STDOUT)
        case ToFile(path):
            return Appender(office.folder / path)
        case ToWeb() as web:
            return Poster(
                office.performer, sink.name, _request(sink.name, web), web.hosts, web.mode, web.batch
            )
        case _:
            assert_never(sink.to)


def _request(name: str, web: ToWeb) -> dict[str, Value]:
    """Return the call of a sink, its secrets as references."""
    secrets: dict[str, Value] = {each: SecretText((SecretRef(each),)) for each in web.secrets}
    try:
        request = render(web.request, None, {"secrets": secrets, "secret": secrets}, LANGUAGE)
    except RenderFailed as failure:
        raise refuse(
            "E1953", f"`{failure.leaf.text}` of the sink `{name}` has no value: {failure}", "write it out"
        ) from None
    if isinstance(request, Asking) or not isinstance(request, dict):
        raise refuse("E1953", f"the endpoint of the sink `{name}` cannot be computed", "write it out")
    return request


def named(text: str) -> Sink:
    """Return the sink that a command names: `stdout`, `file:PATH`, or a URL. Raises `Refusal` (E4195)."""
    if text == "stdout":
        return Sink(text, ToStdout())
    kind, _, rest = text.partition(":")
    if kind == "file" and rest:
        return Sink(text, ToFile(rest))
    try:
        parts = urlsplit(text)
        host = parts.netloc.rpartition("@")[2] if parts.scheme in {"http", "https"} else ""
    except ValueError:
        host = ""
    if not host:
        raise refuse(
            "E4195",
            f"`{text}` is no place that events can go to",
            "write `stdout`, `file:events.jsonl`, or a URL as `https://events.example/`",
        )
    return Sink(text, ToWeb({"method": "POST", "endpoint": text, "headers": {}}, hosts=(host.lower(),)))
