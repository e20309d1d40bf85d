"""Where events go out to, as a stack or a command declares it."""

from __future__ import annotations

from enum import Enum

from dirigent.model.events.cursor import EVERYTHING
from dirigent.model.record import dataclass
from dirigent.model.values import Template


class Mode(Enum):
    """How an event travels over HTTP: whole as JSON, or its attributes in headers."""

    STRUCTURED = "structured"
    BINARY = "binary"


@dataclass(frozen=True, slots=True)
class ToStdout:
    """Standard output of the engine, one line of JSON for each event."""


@dataclass(frozen=True, slots=True)
class ToFile:
    """A file, one line of JSON for each event, added at its end. `path` begins at the folder of the stack."""

    path: str


@dataclass(frozen=True, slots=True)
class ToWeb:
    """An endpoint. `request` is that of a call; up to `batch` events go with one, of which 1 is no list.

    `hosts` are those that it names literally, `secrets` the names of the secrets that it may use.
    """

    request: Template
    mode: Mode = Mode.STRUCTURED
    batch: int = 1
    hosts: tuple[str, ...] = ()
    secrets: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Sink:
    """A place that events are delivered to. An event is for it when a pattern of each kind fits."""

    name: str
    to: ToStdout | ToFile | ToWeb
    types: tuple[str, ...] = EVERYTHING
    sources: tuple[str, ...] = EVERYTHING
