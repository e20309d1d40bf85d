"""The request of `container`, read: pure, strict, and with every secret where it may be.

Arguments are never parsed as part of a command line: a command gets them as `$1`, `$2` and so on.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from dirigent.model.duration import seconds_of
from dirigent.model.values import Value
from dirigent.ports import Vault
from dirigent.tasks.recipe import Program, Unfit, kind_of, plain_text, read_request, shell_program

PULLS: Final = ("ifNotPresent", "always", "never")
CLEANUPS: Final = ("never", "always", "eventually")
# What Docker and Podman take for the name of a container.
NAME: Final = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_.-]{0,127}")
PORT: Final = re.compile(r"([0-9]{1,5})(?:/(tcp|udp|sctp))?")
HOST_PORT: Final = re.compile(r"(?:(.+):)?([0-9]{0,5})")

PORT_MAX: Final = 65_535

EFFECT: Final = "dirigent.effect"
ATTEMPT: Final = "dirigent.attempt"
RUN: Final = "dirigent.run"
# The note in a spool folder by which an attempt has its outcome.
OUTCOME: Final = "outcome.json"
SPOOL: Final = "dirigent.spool"
LIFETIME: Final = "dirigent.lifetime"


@dataclass(frozen=True, slots=True)
class Wanted:
    """A container that is wanted. `after_seconds` is how long it stays once it has ended, None for ever."""

    image: str
    name: str
    argv: tuple[str, ...]
    environment: Mapping[str, str]
    stdin: str | None
    ports: tuple[tuple[str, str, str], ...]
    volumes: tuple[str, ...]
    pull: str
    after_seconds: float | None
    awaited: bool
    returned: str

    def creation(self, labels: Mapping[str, str]) -> dict[str, Value]:
        """Return what the runtime is told to create."""
        fed = self.stdin is not None
        kept = {LIFETIME: str(self.after_seconds)} if self.after_seconds else {}
        bindings: dict[str, Value] = {}
        for address, port, inner in self.ports:
            bindings[inner] = [{"HostIp": address, "HostPort": port}]
        found: dict[str, Value] = {
            "Image": self.image,
            "Env": [f"{name}={text}" for name, text in self.environment.items()],
            "Labels": {**labels, **kept},
            "OpenStdin": fed,
            "StdinOnce": fed,
            "Tty": False,
            "ExposedPorts": {inner: {} for inner in bindings},
            "HostConfig": {
                "Binds": list(self.volumes),
                "PortBindings": bindings,
                # What nobody waits for is removed by the runtime itself.
                "AutoRemove": not self.awaited and self.after_seconds == 0,
            },
        }
        if self.argv:
            found["Cmd"] = list(self.argv)
        return found


def wanted_of(request: Value, vault: Vault, folder: str) -> Wanted:
    """Return what a request says; secrets of `environment` and `stdin` are revealed. Raises `Unfit`."""
    read = read_request(request, vault, _program)
    members = request if isinstance(request, dict) else {}
    name = members.get("name")
    if name is not None and not NAME.fullmatch(plain_text("name", name)):
        raise Unfit(f"`name` must be letters, digits, `_`, `.` and `-`, and is {kind_of(name)}")
    return Wanted(
        image=plain_text("image", members.get("image")).strip(),
        name=str(name or ""),
        argv=(*read.program, *read.arguments),
        environment=read.environment,
        stdin=read.stdin,
        ports=_ports(members.get("ports")),
        volumes=_volumes(members.get("volumes"), folder),
        pull=_choice("pullPolicy", members.get("pullPolicy"), PULLS),
        after_seconds=_after(members.get("lifetime")),
        awaited=read.awaited,
        returned=read.returned,
    )


def reference_of(image: str) -> tuple[str, str]:
    """Return the name and the tag (or digest) of an image; `latest` where nothing is said."""
    if "@" in image:
        name, _, digest = image.partition("@")
        return name, digest
    name, colon, tag = image.rpartition(":")
    # A colon before a slash belongs to the port of a registry.
    return (name, tag) if colon and "/" not in tag else (image, "latest")


def _program(request: dict[str, Value], arguments: list[str]) -> Program:
    if request.get("command") is None:
        return (), None
    return shell_program(request, arguments)


def _ports(value: Value) -> tuple[tuple[str, str, str], ...]:
    """Return address and port of the machine, and the port of the container."""
    found = []
    for outer, inner in _map("ports", value).items():
        host, port = HOST_PORT.fullmatch(outer), PORT.fullmatch(str(inner))
        if host is None or port is None or max(int(host[2] or 0), int(port[1])) > PORT_MAX:
            words = f"not `{outer}` to {kind_of(inner)}"
            raise Unfit(f"`ports` maps ports of this machine to ports of the container, {words}")
        found.append((host[1] or "", host[2], f"{int(port[1])}/{port[2] or 'tcp'}"))
    return tuple(found)


def _volumes(value: Value, folder: str) -> tuple[str, ...]:
    """Return bindings; a path that starts with a dot is below the folder of the stack."""
    found = []
    for outer, inner in _map("volumes", value).items():
        if not isinstance(inner, str) or not inner.startswith("/") or ":" in outer:
            raise Unfit(f"`volumes` maps paths or names to absolute paths, not `{outer}` to {kind_of(inner)}")
        source = str(Path(folder, outer).resolve()) if outer.startswith(".") else outer
        found.append(f"{source}:{inner}")
    return tuple(found)


def _map(name: str, value: Value) -> dict[str, Value]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise Unfit(f"`{name}` must be a map, and is {kind_of(value)}")
    return value


def _after(value: Value) -> float | None:
    lifetime = _map("lifetime", value)
    match _choice("lifetime.cleanup", lifetime.get("cleanup"), CLEANUPS):
        case "always":
            return 0
        case "eventually":
            try:
                return seconds_of(lifetime.get("after"))
            except ValueError as wrong:
                raise Unfit(f"`lifetime.after` must say how long: {wrong}") from None
        case _:
            return None


def _choice(name: str, value: Value, known: tuple[str, ...]) -> str:
    if value is None:
        return known[0]
    if not isinstance(value, str) or value not in known:
        raise Unfit(f"`{name}` must be one of {', '.join(known)}, and is {kind_of(value)}")
    return value
