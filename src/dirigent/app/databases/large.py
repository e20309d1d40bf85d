"""Where the large values of a store lie: beside a file in its folder, or in its database."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, closing, nullcontext
from typing import Final, Protocol, TypeAlias, cast

from dirigent.app.databases.driver import room
from dirigent.model.ids import Digest
from dirigent.ports import Payloads
from dirigent.settings import DatabaseUrl, Settings
from dirigent.stores.folder.payloads import Payloads as Folder

LARGE: Final = "payloads"


class Stored(Payloads, Protocol):
    """The large values of a database, until they are closed."""

    def stored(self) -> list[Digest]:
        """Return the digests of all there are."""
        ...

    def close(self) -> None:
        """End the session."""
        ...


_Make: TypeAlias = Callable[[DatabaseUrl], Stored]


def payloads_of(settings: Settings, shared: dict[str, object] | None = None) -> Payloads:
    """Return where the large values of a store lie, the same for all who share."""
    if settings.database is None:
        return Folder(settings.payloads)
    known = None if shared is None else shared.get(LARGE)
    if known is not None:
        return cast("Payloads", known)
    made = in_database(settings.database)
    if shared is not None:
        shared[LARGE] = made
    return made


def in_database(url: DatabaseUrl) -> Stored:
    """Return the large values of a database; nothing is opened yet."""
    make: _Make = room("dirigent.stores.postgres.keeping.payloads").PostgresPayloads
    return make(url)


def close(shared: dict[str, object]) -> None:
    """Close what `payloads_of` made for those who share."""
    known = shared.pop(LARGE, None)
    if known is not None:
        cast("Stored", known).close()


def read(settings: Settings, digest: str, whose: str) -> bytes:
    """Return one large value. Raises `Refusal`: E5070 missing, E5071 damaged."""
    with opened(settings) as payloads:
        return payloads.get(digest, whose)


def opened(settings: Settings) -> AbstractContextManager[Payloads]:
    """Return the large values of a store; what was opened for them is closed at the end."""
    if settings.database is None:
        return nullcontext(Folder(settings.payloads))
    return closing(in_database(settings.database))


def digests(payloads: Payloads) -> Iterable[Digest]:
    """Return the digests of all large values."""
    if isinstance(payloads, Folder):
        return (Digest(path.name) for path in payloads.stored() if path.suffix == "")
    return cast("Stored", payloads).stored()


def carry(source: Settings, target: Settings) -> None:
    """Copy every large value of a store into another. What is there already is not written again."""
    with opened(source) as there, opened(target) as here:
        for digest in digests(there):
            here.put(there.get(digest))
