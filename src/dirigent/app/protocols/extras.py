"""Performers that need an extra: their builders are imported only where its packages are installed."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from importlib.util import find_spec
from types import ModuleType
from typing import Final, TypeAlias

from dirigent.app.planning import Parts
from dirigent.app.stacks import Surrounding
from dirigent.model.problem import refuse
from dirigent.ports import Performer

DRIVERS: Final = {
    "http": ("web", ""),
    "ws": ("web", ""),
    "mqtt": ("mqtt", "paho.mqtt"),
    "nats": ("nats", "nats"),
    "amqp": ("amqp", "aio_pika"),
    "kafka": ("kafka", "aiokafka"),
}
Build: TypeAlias = Callable[[Surrounding, Parts], Performer]


def grpc(around: Surrounding, parts: Parts) -> Performer:
    """Build the performer of `call: grpc`. Raises `Refusal` (E4140) where its packages are not installed."""
    require("a call over gRPC", "grpc", "grpc", "grpc_tools", "google.protobuf")
    build: Build = importlib.import_module("dirigent.app.protocols.grpc").grpc
    return build(around, parts)


def asyncapi(around: Surrounding, parts: Parts) -> Performer:
    """Build the performer of `call: asyncapi`; a driver is imported when the first call needs it."""
    build: Callable[[Surrounding, Parts, Callable[[str], ModuleType]], Performer] = importlib.import_module(
        "dirigent.app.protocols.asyncapi"
    ).asyncapi
    return build(around, parts, driver)


def driver(protocol: str) -> ModuleType:
    """Return the module of a driver. Raises `Refusal` (E4140) where its package is not installed."""
    module, package = DRIVERS[protocol]
    if package:
        require(f"a call over {protocol}", protocol, package)
    return importlib.import_module(f"dirigent.tasks.asyncapi.drivers.{module}")


def require(what: str, extra: str, *modules: str) -> None:
    """Raise `Refusal` (E4140) unless all these modules are installed."""
    missing = [name for name in modules if not _installed(name)]
    if missing:
        raise refuse(
            "E4140",
            f"{what} needs the package of `{missing[0]}`, which is not installed",
            f"install it with: pip install 'dirigent[{extra}]'",
        )


def _installed(name: str) -> bool:
    try:
        return find_spec(name) is not None
    except ModuleNotFoundError:
        return False  # Not even the package that holds it is there.
