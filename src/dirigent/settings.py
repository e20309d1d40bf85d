"""Settings: read once by the composition root, validated, frozen."""

from __future__ import annotations

from pathlib import PurePath
from typing import Final
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from dirigent.model.problem import refuse
from dirigent.model.record import dataclass

# Before the name of an input of the stack, in capitals: a variable that gives its value.
INPUT_PREFIX: Final = "DIRIGENT_INPUT_"
DATABASES: Final = ("postgresql", "postgres")
_SECRET: Final = frozenset({"password", "passfile", "sslpassword", "sslkey"})


@dataclass(frozen=True, slots=True)
class DatabaseUrl:
    """Where a PostgreSQL database is. Its password is in `text` alone: whatever is shown has none."""

    text: str

    @classmethod
    def parse(cls, text: str) -> DatabaseUrl:
        """Return the URL. Raises `Refusal` (E5049)."""
        try:
            known = urlsplit(text).scheme in DATABASES
        except ValueError:
            known = False
        if not known:
            raise refuse(
                "E5049",
                "what is given as a store is not the URL of a PostgreSQL database",
                "write `postgresql://USER@HOST:5432/DATABASE`; a password may come from PGPASSWORD",
            )
        return cls(text)

    def __str__(self) -> str:
        """Return the URL without any password."""
        parts = urlsplit(self.text)
        user, at, place = parts.netloc.rpartition("@")
        shown = f"{user.partition(':')[0]}{at}{place}"
        asked = parse_qsl(parts.query, keep_blank_values=True)
        query = urlencode([each for each in asked if each[0].lower() not in _SECRET], quote_via=quote)
        return f"{parts.scheme}://{shown}{parts.path}{'?' if query else ''}{query}"

    def __repr__(self) -> str:
        """Return it without any password, too."""
        return f"DatabaseUrl({str(self)!r})"


def is_database(text: str) -> bool:
    """Return whether a text is meant as the URL of a database, and not as a folder."""
    return "://" in text


@dataclass(frozen=True, slots=True)
class Settings:
    """Where one stack's truth lies. Everything is below `state`, a directory of mode 0700.

    With a `database` the store is there; what belongs to this machine (processes, their output) stays
    in `state`.
    """

    state: PurePath
    database: DatabaseUrl | None = None

    @property
    def store(self) -> str:
        """Return the path of the SQLite store."""
        return str(self.state / "dirigent.db")

    @property
    def ballast(self) -> str:
        """Return the path of the file that is given up when the disk is full."""
        return str(self.state / "ballast")

    @property
    def lock(self) -> str:
        """Return the path of the file whose lock makes a process the engine (on a database: the first)."""
        return str(self.state / f"{self._who}.lock")

    @property
    def witness(self) -> str:
        """Return the path of the file that knows which run was being turned when the engine died."""
        return str(self.state / "turning")

    @property
    def socket(self) -> str:
        """Return the path of the engine's control socket; on a database, of the first engine of a folder."""
        return str(self.state / f"{self._who}.sock")

    @property
    def _who(self) -> str:
        """Return who works here: whoever asks for the engine of the file must not find one of a database."""
        return "engine" if self.database is None else "database"

    @property
    def spool(self) -> str:
        """Return the directory of supervised processes, one folder per effect id."""
        return str(self.state / "spool")

    @property
    def payloads(self) -> str:
        """Return the directory of large values, which are named by their digests."""
        return str(self.state / "payloads")

    @property
    def authorization_key(self) -> str:
        """Return the path of the key that binds a code which a person brings to the run that asked."""
        return str(self.state / "authorization.key")

    @property
    def key(self) -> str:
        """Return the path of the key under which sensitive values of resources are sealed."""
        return str(self.state / "sensitive.key")

    @property
    def lineage(self) -> str:
        """Return the path of the record of the state of Terraform that resources came from, or went to."""
        return str(self.state / "lineage.json")

    @property
    def made(self) -> str:
        """Return the path of the record of directories that were made on the way to files."""
        return str(self.state / "made.json")

    @property
    def services(self) -> str:
        """Return the directory of services, one folder per instance."""
        return str(self.state / "services")
