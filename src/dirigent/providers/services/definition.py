"""What a service shall be, as plain values that both the provider and the steward understand."""

from __future__ import annotations

import json
from dataclasses import asdict, field
from hashlib import blake2b
from typing import Final

from dirigent.model import limits
from dirigent.model.record import dataclass

PORT_PLACE: Final = "{port}"


@dataclass(frozen=True, slots=True)
class Health:
    """How a replica shows that it is well. `kind` is `http`, `tcp`, `command` or `alive`.

    `healthy` and `unhealthy` count checks in a row; `within_seconds` is the time to become healthy.
    """

    kind: str = "tcp"
    path: str = "/"
    command: tuple[str, ...] = ()
    interval_seconds: float = 2.0
    timeout_seconds: float = 2.0
    healthy: int = 1
    unhealthy: int = 3
    within_seconds: float = limits.SERVICE_READY_SECONDS


@dataclass(frozen=True, slots=True)
class Restart:
    """The delay doubles from `delay_seconds` to `most_seconds`; `reset_seconds` of life start it over.

    `max` restarts in a row, then the replica is given up; None goes on for ever.
    """

    delay_seconds: float = 0.5
    most_seconds: float = limits.SERVICE_BACKOFF_SECONDS
    reset_seconds: float = 10.0
    max: int | None = None

    def delay_after(self, failures: int) -> float:
        """Return the seconds to wait after this many ends in a row, from 1 on."""
        # The exponent is bounded, so that a long life of failures cannot overflow.
        return float(min(self.most_seconds, self.delay_seconds * 2.0 ** min(failures - 1, 32)))


@dataclass(frozen=True, slots=True)
class Definition:
    """One service. `port` None lets the steward choose; `folder` is absolute.

    `surroundings` are the variables of every program; they are not part of what the service is.
    """

    command: tuple[str, ...]
    folder: str
    environment: dict[str, str] = field(default_factory=dict)
    surroundings: dict[str, str] = field(default_factory=dict)
    replicas: int = 1
    port: int | None = None
    health: Health = Health()
    restart: Restart = Restart()
    grace_seconds: float = limits.PROCESS_GRACE_SECONDS

    def process_key(self) -> str:
        """Return what two definitions share when a running replica of one is as good as one of the other."""
        what = json.dumps([self.command, self.folder, sorted(self.environment.items())])
        return blake2b(what.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()

    def filled(self, command: tuple[str, ...], port: int) -> list[str]:
        """Return a command with the port of one replica in its places."""
        return [part.replace(PORT_PLACE, str(port)) for part in command]

    def variables(self, port: int) -> dict[str, str]:
        """Return all that one replica finds in its environment."""
        own = {name: text.replace(PORT_PLACE, str(port)) for name, text in self.environment.items()}
        return {**self.surroundings, "PORT": str(port), **own}


def encode(definition: Definition) -> dict[str, object]:
    """Return the definition as JSON values."""
    return asdict(definition)


def decode(record: dict[str, object]) -> Definition:
    """Return the definition that `encode` was given; raises `TypeError` for anything else."""
    port = record["port"]
    return Definition(
        command=_texts(record["command"]),
        folder=str(record["folder"]),
        environment=_variables(record["environment"]),
        surroundings=_variables(record["surroundings"]),
        replicas=_whole(record["replicas"]),
        port=None if port is None else _whole(port),
        health=_health(_members(record["health"])),
        restart=_restart(_members(record["restart"])),
        grace_seconds=_seconds(record["grace_seconds"]),
    )


def _health(record: dict[str, object]) -> Health:
    return Health(
        kind=str(record["kind"]),
        path=str(record["path"]),
        command=_texts(record["command"]),
        interval_seconds=_seconds(record["interval_seconds"]),
        timeout_seconds=_seconds(record["timeout_seconds"]),
        healthy=_whole(record["healthy"]),
        unhealthy=_whole(record["unhealthy"]),
        within_seconds=_seconds(record["within_seconds"]),
    )


def _restart(record: dict[str, object]) -> Restart:
    most = record["max"]
    return Restart(
        delay_seconds=_seconds(record["delay_seconds"]),
        most_seconds=_seconds(record["most_seconds"]),
        reset_seconds=_seconds(record["reset_seconds"]),
        max=None if most is None else _whole(most),
    )


def _members(value: object) -> dict[str, object]:
    if isinstance(value, dict):
        return value
    raise TypeError(f"a stored definition holds `{value}` where a map should be")


def _variables(value: object) -> dict[str, str]:
    return {str(name): str(text) for name, text in _members(value).items()}


def _texts(value: object) -> tuple[str, ...]:
    if isinstance(value, list | tuple):
        return tuple(str(each) for each in value)
    raise TypeError(f"a stored definition holds `{value}` where a list should be")


def _whole(value: object) -> int:
    if isinstance(value, int):
        return value
    raise TypeError(f"a stored definition holds `{value}` where a whole number should be")


def _seconds(value: object) -> float:
    if isinstance(value, int | float):
        return float(value)
    raise TypeError(f"a stored definition holds `{value}` where a number should be")
