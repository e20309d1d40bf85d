"""Let time pass, and wait for events."""

from __future__ import annotations

from datetime import timedelta
from typing import TypeAlias, TypeVar, overload

from dirigent.durable.asking import Asked
from dirigent.model.program import Wait
from dirigent.model.run.code import Listen, Request

T = TypeVar("T")
Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"


def seconds_of(length: float | timedelta) -> float:
    """Return a length of time in seconds; one that is negative is none at all."""
    return max(0.0, length.total_seconds() if isinstance(length, timedelta) else float(length))


def sleep(length: float | timedelta) -> Asked[None]:
    """Let this many seconds pass. The run may leave memory meanwhile, and the process may end."""
    return Asked(Request("sleep", Wait(seconds_of(length))), "a sleep")


@overload
def wait_event(name: str, *, timeout: float | timedelta | None = None) -> Asked[Json]: ...
@overload
def wait_event(name: str, kind: type[T], *, timeout: float | timedelta | None = None) -> Asked[T]: ...
def wait_event(
    name: str, kind: type[object] = object, *, timeout: float | timedelta | None = None
) -> Asked[object]:
    """Wait for an event of this name, and return its data as `kind`.

    Events are taken in the order in which they came; one that came before is taken at once.
    Raises `TimedOut` when none comes in time.
    """
    limit = None if timeout is None else seconds_of(timeout)
    return Asked(Request(f"event:{name}", Listen(name), seconds=limit), f"the event `{name}`", kind)
