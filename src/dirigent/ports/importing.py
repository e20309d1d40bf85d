"""What a provider may know beside its work: to find what exists already, and that an instance cannot move."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

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
