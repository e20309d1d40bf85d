"""The properties of a service, read strictly: every mistake is found, and unknown values are passed over."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import field
from pathlib import Path
from typing import Final

from dirigent.model import limits
from dirigent.model.duration import seconds_of
from dirigent.model.record import dataclass
from dirigent.model.values import SecretRef, SecretText, Unknown, Value
from dirigent.providers.services.definition import Definition, Health, Restart

PROPERTIES: Final = (
    "runtime", "replicas", "command", "environment", "directory", "port", "health", "restart", "stop",
)  # fmt: skip
CHECKS: Final = ("http", "tcp", "command", "alive")
PORT_MAX: Final = 65_535
COUNT_MAX: Final = 1_000

Reveal = Callable[[Value], Value]


@dataclass(slots=True)
class Findings:
    """What is wrong. `secrets` are mistakes too: secrets where every user of the machine could read them."""

    mistakes: list[str] = field(default_factory=list)
    secrets: list[str] = field(default_factory=list)


def read(
    config: Mapping[str, Value], folder: str, surroundings: Mapping[str, str], reveal: Reveal
) -> tuple[Definition, Findings]:
    """Return what the properties say, with a default for each that is unknown yet, and all mistakes.

    `directory` is relative to `folder`. `reveal` gives the text of a secret.
    """
    found = Findings()
    _closed("the service", config, PROPERTIES, found)
    runtime = config.get("runtime", "process")
    if runtime != "process" and not isinstance(runtime, Unknown):
        found.mistakes.append(f"`runtime` must be `process`, and is {_shown(runtime)}")
    port = config.get("port", "auto")
    stop = _members("stop", config.get("stop"), ("grace",), found)
    definition = Definition(
        command=_command("command", config.get("command"), found),
        folder=str(Path(folder, _text("directory", config.get("directory"), ".", found))),
        environment=_environment(config.get("environment"), reveal, found),
        surroundings=dict(surroundings),
        replicas=_whole("replicas", config.get("replicas"), 1, (0, limits.SERVICE_REPLICAS), found),
        port=None if port in ("auto", None) else _whole("port", port, 0, (1, PORT_MAX), found) or None,
        health=_health(config.get("health"), found),
        restart=_restart(config.get("restart"), found),
        grace_seconds=_seconds("stop.grace", stop.get("grace"), limits.PROCESS_GRACE_SECONDS, found),
    )
    return definition, found


def shown(config: Mapping[str, Value]) -> dict[str, object]:
    """Return the properties as plain JSON, with secrets as their names: what may be compared and stored."""
    plain = json.loads(json.dumps(config, default=str, sort_keys=True))
    return plain if isinstance(plain, dict) else {}


def secrets_of(config: Mapping[str, Value], reveal: Reveal) -> dict[str, str]:
    """Return the value of every secret in the environment, by name."""
    environment = config.get("environment")
    texts = environment.values() if isinstance(environment, dict) else ()
    names = [
        part.name
        for text in texts
        if isinstance(text, SecretText)
        for part in text.parts
        if isinstance(part, SecretRef)
    ]
    return {name: str(reveal(SecretText((SecretRef(name),)))) for name in names}


def _health(value: Value, found: Findings) -> Health:
    timing = ("interval", "timeout", "healthy", "unhealthy", "within")
    members = _members("health", value, (*CHECKS, *timing), found)
    kinds = [kind for kind in CHECKS if members.get(kind) not in (None, False)]
    if len(kinds) > 1:
        found.mistakes.append(f"`health` must hold one of {_listed(CHECKS)}, and holds {_listed(kinds)}")
    kind, usual = kinds[0] if kinds else "tcp", Health()
    for flag in ("tcp", "alive"):
        if not isinstance(members.get(flag, True), bool | Unknown):
            found.mistakes.append(f"`health.{flag}` must be true or false, and is {_shown(members[flag])}")
    path = _text("health.http", members.get("http"), "/", found) if kind == "http" else "/"
    if not path.startswith("/") or any(mark.isspace() or not mark.isprintable() for mark in path):
        found.mistakes.append(f"`health.http` must be a path such as `/health`, and is `{path}`")
    count = (1, COUNT_MAX)
    return Health(
        kind=kind,
        path=path,
        command=_command("health.command", members["command"], found) if kind == "command" else (),
        interval_seconds=_seconds("health.interval", members.get("interval"), usual.interval_seconds, found),
        timeout_seconds=_seconds("health.timeout", members.get("timeout"), usual.timeout_seconds, found),
        healthy=_whole("health.healthy", members.get("healthy"), usual.healthy, count, found),
        unhealthy=_whole("health.unhealthy", members.get("unhealthy"), usual.unhealthy, count, found),
        within_seconds=_seconds("health.within", members.get("within"), usual.within_seconds, found),
    )


def _restart(value: Value, found: Findings) -> Restart:
    members = _members("restart", value, ("delay", "most", "reset", "max"), found)
    usual, most = Restart(), members.get("max")
    return Restart(
        delay_seconds=_seconds("restart.delay", members.get("delay"), usual.delay_seconds, found),
        most_seconds=_seconds("restart.most", members.get("most"), usual.most_seconds, found),
        reset_seconds=_seconds("restart.reset", members.get("reset"), usual.reset_seconds, found),
        max=None if most is None else _whole("restart.max", most, 0, (0, limits.RETRIES), found),
    )


def _command(name: str, value: Value, found: Findings) -> tuple[str, ...]:
    if isinstance(value, Unknown):
        return ()
    if not isinstance(value, list) or not value:
        found.mistakes.append(
            f"`{name}` must be a list of a program and its arguments, and is {_shown(value)}"
        )
        return ()
    return tuple(_text(f"{name}[{index}]", each, "", found) for index, each in enumerate(value))


def _environment(value: Value, reveal: Reveal, found: Findings) -> dict[str, str]:
    if value is None or isinstance(value, Unknown):
        return {}
    if not isinstance(value, dict):
        found.mistakes.append(f"`environment` must be a map of names to text, and is {_shown(value)}")
        return {}
    read_all: dict[str, str] = {}
    for name, given in value.items():
        if not name or "=" in name or "\0" in name:
            found.mistakes.append(f"`{name}` is not a name for an environment variable")
            continue
        plain = reveal(given) if isinstance(given, SecretText) else given
        read_all[name] = _text(f"environment.{name}", plain, "", found)
    return read_all


def _members(name: str, value: Value, known: tuple[str, ...], found: Findings) -> dict[str, Value]:
    if value is None or isinstance(value, Unknown):
        return {}
    if not isinstance(value, dict):
        found.mistakes.append(f"`{name}` must be a map, and is {_shown(value)}")
        return {}
    _closed(f"`{name}`", value, known, found)
    return value


def _closed(name: str, value: Mapping[str, Value], known: tuple[str, ...], found: Findings) -> None:
    found.mistakes += [
        f"`{key}` is not a property of {name}: known are {_listed(known)}"
        for key in value
        if key not in known
    ]


def _text(name: str, value: Value, usual: str, found: Findings) -> str:
    match value:
        case None | Unknown():
            return usual
        case SecretText():
            found.secrets.append(f"`{name}` holds {value}")
            return usual
        case bool():
            return "true" if value else "false"
        case int() | float():
            return str(value)
        case str() if "\0" not in value:
            return value
        case _:
            found.mistakes.append(f"`{name}` must be text, and is {_shown(value)}")
            return usual


def _whole(name: str, value: Value, usual: int, limit: tuple[int, int], found: Findings) -> int:
    if value is None or isinstance(value, Unknown):
        return usual
    least, most = limit
    if isinstance(value, int) and not isinstance(value, bool) and least <= value <= most:
        return value
    found.mistakes.append(f"`{name}` must be a whole number from {least} to {most}, and is {_shown(value)}")
    return usual


def _seconds(name: str, value: Value, usual: float, found: Findings) -> float:
    if value is None or isinstance(value, Unknown):
        return usual
    try:
        return seconds_of(value)
    except ValueError as reason:
        found.mistakes.append(f"`{name}`: {reason}")
        return usual


def _listed(names: tuple[str, ...] | list[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _shown(value: Value) -> str:
    match value:
        case None:
            return "missing"
        case list():
            return "a list" if value else "empty"
        case dict():
            return "a map"
        case SecretText():
            return f"a secret ({value})"
        case _:
            return f"`{value}`"
