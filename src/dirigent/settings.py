"""Settings: read once by the composition root, validated, frozen."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePath


@dataclass(frozen=True, slots=True)
class Settings:
    """Where one stack's truth lies. Everything is below `state`, a directory of mode 0700."""

    state: PurePath

    @property
    def store(self) -> str:
        """Return the path of the SQLite store."""
        return str(self.state / "dirigent.db")

    @property
    def lock(self) -> str:
        """Return the path of the file whose lock makes a process the engine."""
        return str(self.state / "engine.lock")

    @property
    def socket(self) -> str:
        """Return the path of the engine's control socket."""
        return str(self.state / "engine.sock")

    @property
    def spool(self) -> str:
        """Return the directory of supervised processes, one folder per effect id."""
        return str(self.state / "spool")

    @property
    def made(self) -> str:
        """Return the path of the record of directories that were made on the way to files."""
        return str(self.state / "made.json")

    @property
    def services(self) -> str:
        """Return the directory of services, one folder per instance."""
        return str(self.state / "services")
