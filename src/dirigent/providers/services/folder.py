"""The folder in which the provider and the steward of one service meet. Mode 0700, files 0600.

`desired.json`: what shall be (written by the provider). `current.json`: the last that became well.
`address.json`: the port, for ever. `status.json`: how it stands. `lock`: held by the steward.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from pathlib import Path
from typing import Final
from urllib.parse import quote

from dirigent.model.record import dataclass
from dirigent.providers.services.definition import Definition, decode, encode
from dirigent.shim import files

MARK: Final = "DIRIGENT_SERVICE"


@dataclass(frozen=True, slots=True)
class Wish:
    """What shall be from this generation on; without a definition the service shall end.

    `key` names the attempt of the effect that wished it. `shown` is the configuration with secrets
    as names; `secrets` are their values, which must not appear in logs.
    """

    generation: int
    key: str
    definition: Definition | None
    shown: dict[str, object] = field(default_factory=dict)
    secrets: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Status:
    """How it stands. `settled` is the newest generation that is done with, `error` why it failed.

    `running` is the generation that runs; `replicas` holds a record for each of its replicas.
    """

    mark: dict[str, object]
    port: int | None
    settled: int
    error: str | None
    running: int
    replicas: tuple[dict[str, object], ...] = ()


class ServiceFolder:
    """One service's folder, below the folder of all services."""

    def __init__(self, path: Path) -> None:
        """Name the folder; nothing is touched."""
        self.path = path

    @property
    def log(self) -> Path:
        """Return the newest log file; older ones have `.1`, `.2` and so on behind the name."""
        return self.path / "service.log"

    @property
    def trace(self) -> Path:
        """Return the file with the steward's own complaints."""
        return self.path / "trace"

    def desired(self) -> Wish | None:
        """Return what shall be."""
        return _wish(files.read_record(str(self.path / "desired.json")))

    def desire(self, wish: Wish) -> None:
        """Write down what shall be, durably."""
        files.make_folder(str(self.path))
        files.write_durably(str(self.path / "desired.json"), _encoded(wish))

    def current(self) -> Wish | None:
        """Return the last wish that became well."""
        return _wish(files.read_record(str(self.path / "current.json")))

    def keep_current(self, wish: Wish) -> None:
        """Write down a wish that has become well, durably."""
        files.write_durably(str(self.path / "current.json"), _encoded(wish))

    def address(self) -> int | None:
        """Return the port of the stable address."""
        port = (files.read_record(str(self.path / "address.json")) or {}).get("port")
        return port if isinstance(port, int) else None

    def keep_address(self, port: int) -> None:
        """Write down the port, durably."""
        files.write_durably(str(self.path / "address.json"), files.encode({"port": port}))

    def status(self) -> Status | None:
        """Return how it stood when the steward last said so."""
        record = files.read_record(str(self.path / "status.json"))
        if record is None:
            return None
        port, error, replicas = record.get("port"), record.get("error"), record.get("replicas")
        mark = record.get("mark")
        return Status(
            mark=mark if isinstance(mark, dict) else {},
            port=port if isinstance(port, int) else None,
            settled=_whole(record.get("settled")),
            error=error if isinstance(error, str) else None,
            running=_whole(record.get("running")),
            replicas=tuple(each for each in replicas if isinstance(each, dict))
            if isinstance(replicas, list)
            else (),
        )

    def report(self, status: Status) -> None:
        """Say how it stands; a power cut may take that back, for it ends the steward too."""
        record: dict[str, object] = {
            "mark": status.mark,
            "port": status.port,
            "settled": status.settled,
            "error": status.error,
            "running": status.running,
            "replicas": list(status.replicas),
        }
        files.write_report(str(self.path / "status.json"), files.encode(record))


def folder_of(services: str, address: str) -> ServiceFolder:
    """Return the folder of an instance; an address such as `web["eu"]` is written so that it fits."""
    return ServiceFolder(Path(services).absolute() / quote(address, safe=""))


def healthy_of(status: Status) -> int:
    """Return how many replicas are well."""
    return sum(1 for replica in status.replicas if replica.get("state") == "healthy")


def _encoded(wish: Wish) -> bytes:
    record: dict[str, object] = {
        "generation": wish.generation,
        "key": wish.key,
        "definition": None if wish.definition is None else encode(wish.definition),
        "shown": wish.shown,
        "secrets": wish.secrets,
    }
    return files.encode(record)


def _wish(record: Mapping[str, object] | None) -> Wish | None:
    if record is None:
        return None
    definition, shown, secrets = record.get("definition"), record.get("shown"), record.get("secrets")
    return Wish(
        generation=_whole(record.get("generation")),
        key=str(record.get("key")),
        definition=decode(definition) if isinstance(definition, dict) else None,
        shown=shown if isinstance(shown, dict) else {},
        secrets=secrets if isinstance(secrets, dict) else {},
    )


def _whole(value: object) -> int:
    return value if isinstance(value, int) else 0
