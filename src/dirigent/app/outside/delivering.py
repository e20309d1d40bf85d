"""Whether an engine delivers events, and to whom; what does it is imported when there is a sink."""

from __future__ import annotations

import asyncio
import importlib
import sys
from collections.abc import Collection, Mapping
from contextlib import AsyncExitStack
from typing import Final, Protocol, cast

from dirigent.app.planning import Parts
from dirigent.app.stacks import Surrounding
from dirigent.engine.crew import Crew
from dirigent.engine.engine import Observer
from dirigent.engine.events.courier import Courier
from dirigent.engine.events.telling import Wants
from dirigent.model import limits
from dirigent.model.events.sink import Sink
from dirigent.model.ids import RunId
from dirigent.model.problem import refuse
from dirigent.model.program import Program
from dirigent.model.record import dataclass
from dirigent.model.run.journal import Emitted, Fact
from dirigent.ports import Performer
from dirigent.ports.events import Logged, Outbox

WAITS: Final = "W4196"
ROOM: Final = "dirigent.app.outside.sinks"
# What is in the log when a command ends has so long to get out; the next engine goes on.
PARTING_SECONDS: Final = 5.0
# Whoever names a sink waits for it: as long as one delivery may take, and then some.
WAITING_SECONDS: Final = 30.0
# How soon an engine on a shared store learns of the sinks of others.
WATCH_SECONDS: Final = 5.0


class _Room(Protocol):
    """What `dirigent.app.outside.sinks` offers."""

    async def courier_of(
        self, office: object, stack: str, sinks: Collection[Sink], more: Collection[Sink]
    ) -> Courier:
        """Return the courier of some sinks."""
        ...

    async def parted(self, courier: Courier, seconds: float) -> None:
        """Deliver what can be delivered, and say what is left."""
        ...

    def named(self, text: str) -> Sink:
        """Return the sink that a command names."""
        ...

    def office_of(self, *parts: object) -> object:
        """Return where a courier works."""
        ...


@dataclass(frozen=True, slots=True)
class Delivery:
    """What a courier is made of; `holder` names this process among the engines of a shared store."""

    around: Surrounding
    parts: Parts
    performers: Mapping[str, Performer]
    wants: Wants
    holder: str = ""


async def sending(stack: AsyncExitStack, delivery: Delivery) -> Courier | None:
    """Return the courier of an engine, None when there is nobody to deliver to.

    `stack` has it deliver what is left at the end. Raises `Refusal` (E4195, E1953).
    """
    around, store = delivery.around, delivery.parts.store
    declared = tuple(around.stack.sinks.values()) if around.stack else ()
    log = store.log if isinstance(store, Logged) else None
    if log is None or not (declared or around.events or await log.cursors()):
        return None
    room = cast("_Room", importlib.import_module(ROOM))
    more = (room.named(around.events),) if around.events else ()
    http = delivery.performers["http"]
    office = room.office_of(log, delivery.parts.clock, around.folder, http, complain, delivery.holder)
    courier = await room.courier_of(office, around.stack.name if around.stack else "", declared, more)
    delivery.wants.renew(await log.cursors())
    stack.push_async_callback(room.parted, courier, WAITING_SECONDS if around.events else PARTING_SECONDS)
    return courier


def deliver(courier: Courier | None, crew: Crew, observers: list[Observer]) -> None:
    """Set a courier going, if there is one."""
    if courier is None:
        return
    lively = courier.lively

    def heard(_: RunId, __: Program, ___: int, facts: Collection[Fact]) -> None:
        if lively or any(isinstance(fact, Emitted) for fact in facts):
            courier.stir()

    observers.append(heard)
    for route in courier.routes:
        crew.act(courier.serve(route))


async def attending(log: Outbox, wants: Wants) -> None:
    """Learn for ever which sinks there are on a store that others work on, too."""
    while True:
        wants.renew(await log.cursors())
        await asyncio.sleep(WATCH_SECONDS)


def kept_seconds(around: Surrounding) -> float:
    """Return how long events are kept."""
    age = around.stack.retention.events if around.stack else None
    return limits.EVENTS_LOGGED_SECONDS if age is None else age


def no_sink(around: Surrounding, engine: str) -> None:
    """Refuse a sink of a command that is no engine (E4197)."""
    if around.events:
        raise refuse(
            "E4197",
            f"events cannot go to `{around.events}` from here: {engine} drives the run, and delivers",
            "declare the sink in its stack, under `events:`, or end that engine first",
        )


def complain(sink: str, why: str) -> None:
    """Say that a sink cannot be delivered to."""
    name = sink.partition("/")[2]
    text = f"warning[{WAITS}]: events wait for the sink `{name}`: {why}\n"
    sys.stderr.write(f"{text}  = help: they are kept, and delivered when it takes them again\n")
    sys.stderr.flush()
