"""What a row keeps for its provider (`ResourceRow.private`), for a state and from one.

`source`, `version` and `private` are what the provider itself keeps there; the rest is of an import, and
stands until the provider changes the object: from then on our own plan knows it better.
"""

from __future__ import annotations

from typing import Final

from dirigent.model.record import dataclass
from dirigent.model.resource import ResourceRow
from dirigent.model.values import Value
from dirigent.providers.tofu.state4.document import Instance, Step, Steps

SOURCE: Final = "source"
_VERSION: Final = "version"
_PRIVATE: Final = "private"
_SENSITIVE: Final = "sensitive"
_DEPOSED: Final = "deposed"
_IDENTITY: Final = "identity"
_IDENTITY_VERSION: Final = "identity_version"


@dataclass(frozen=True, slots=True)
class Kept:
    """What a row keeps. `private` is still hidden; `sensitive` is None where no import has noted it."""

    source: str
    version: int = 0
    private: Value = None
    sensitive: tuple[Steps, ...] | None = None
    deposed: str = ""
    identity: dict[str, Value] | None = None
    identity_version: int = 0


def kept_of(row: ResourceRow) -> Kept | None:
    """Return what a row keeps, None for a row of a type of ours."""
    found = row.private if isinstance(row.private, dict) else {}
    source = found.get(SOURCE)
    if not isinstance(source, str) or not row.provider:
        return None
    identity = found.get(_IDENTITY)
    return Kept(
        source=source,
        version=_whole(found.get(_VERSION)),
        private=found.get(_PRIVATE),
        sensitive=_paths(found.get(_SENSITIVE)),
        deposed=str(found.get(_DEPOSED) or ""),
        identity=identity if isinstance(identity, dict) else None,
        identity_version=_whole(found.get(_IDENTITY_VERSION)),
    )


def written(source: str, instance: Instance, private: Value) -> dict[str, Value]:
    """Return what the row of an imported object keeps; `private` are the provider's bytes, hidden."""
    found: dict[str, Value] = {SOURCE: source, _VERSION: instance.version, _PRIVATE: private}
    found[_SENSITIVE] = [[[step.at, step.index] for step in path] for path in instance.sensitive]
    if instance.deposed:
        found[_DEPOSED] = instance.deposed
    if instance.identity is not None:
        found |= {_IDENTITY: instance.identity, _IDENTITY_VERSION: instance.identity_version}
    return found


def _paths(found: Value) -> tuple[Steps, ...] | None:
    if not isinstance(found, list):
        return None
    return tuple(tuple(_step(step) for step in path) for path in found if isinstance(path, list))


def _step(found: Value) -> Step:
    match found:
        case [int() | str() as at, bool() as index]:
            return Step(at, index)
        case _:
            raise TypeError("an import has written another step")


def _whole(found: Value) -> int:
    return found if isinstance(found, int) else 0
