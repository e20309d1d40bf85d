"""What a provider may know beside its work: to find what exists, what cannot move, what an end would cost."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from dirigent.model.record import dataclass
from dirigent.model.resource import ResourceRow
from dirigent.model.values import Value
from dirigent.ports.resources import Reading


@runtime_checkable
class Importing(Protocol):
    """A provider that can take over what it did not make."""

    async def adopt(self, type_name: str, identity: str, config: dict[str, Value]) -> Reading:
        """Look at what exists under an id; acts on nothing, and may be asked again.

        `config` is what the stack wants of it, and may hold `Unknown`. The reading has `attributes` None when
        there is nothing, else `private` and, in `config`, the configuration by which it would have been made
        as it stands, as far as that can be told; an empty one means that the attributes are compared.
        Raises `Refusal` or `ProviderFailed` for an id that is none.
        """
        ...


@runtime_checkable
class Rooted(Protocol):
    """A provider that finds what it made by the address: such an instance cannot get another one."""

    def rooted(self, type_name: str) -> bool:
        """Return whether instances of a type are bound to their address."""
        ...


@dataclass(frozen=True, slots=True)
class Found:
    """One object that a provider knows. `id` is what an import takes, `name` what the provider calls it.

    `address` is that of the row which manages it, empty for none. `config` is by what it could be declared,
    as far as its provider tells the object; sensitive values are left out.
    """

    id: str
    name: str = ""
    address: str = ""
    config: dict[str, Value] | None = None


@dataclass(frozen=True, slots=True)
class Inventory:
    """What a provider knows of a type; `whole` says that there is nothing beyond it."""

    found: tuple[Found, ...] = ()
    whole: bool = True


@runtime_checkable
class Listing(Protocol):
    """A provider that can list what there is, whether it is managed or not."""

    async def inventory(
        self, type_name: str, wanted: dict[str, Value], rows: Sequence[ResourceRow], most: int
    ) -> Inventory:
        """Return what there is of a type, at most so much; acts on nothing. `rows` are what is managed.

        Raises:
            Refusal: E3047 for a type that it cannot list, E3012 for what it is not asked with.
            ProviderFailed: when it cannot be listed now.
        """
        ...


@runtime_checkable
class Holding(Protocol):
    """A provider of whose instances some hold what nobody could make again."""

    def holds(self, row: ResourceRow, *, drifted: bool) -> str:
        """Return in words what is lost with an instance, empty where all of it can be made again.

        `drifted` says that what stands is not what was applied.
        """
        ...
