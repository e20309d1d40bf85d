"""How resources are managed: what a provider is asked, what it answers, and how it fails.

Adapters fit these protocols; nobody subclasses.
"""

from __future__ import annotations

from dataclasses import field
from typing import Protocol, TypeAlias, runtime_checkable

from dirigent.model.record import dataclass
from dirigent.model.resource import ResourceRow
from dirigent.model.run.effect import Order
from dirigent.model.values import Value


@dataclass(frozen=True, slots=True)
class Reading:
    """What a provider sees of an instance now; `attributes` None means that it is gone.

    `config` holds those configured properties whose actual value differs from what was applied.
    `claims` names what of the world this instance alone may own, such as "the path `/etc/x`".
    `private` is the private value that belongs to these attributes, None where the row's still does.
    """

    attributes: dict[str, Value] | None
    config: dict[str, Value] = field(default_factory=dict)
    claims: tuple[str, ...] = ()
    private: Value = None


@dataclass(frozen=True, slots=True)
class Proposal:
    """What an instance would become: `attributes` may hold `Unknown`, `replace` lists forcing paths.

    `claims` names what it would own alone; two instances of a plan with one claim are refused.
    `decided` says that the provider has compared what stands with what is wanted: the attributes tell what
    changes, not the configuration. `binding` is what it wants to see again when the operation comes.
    `deferred` says that it could not be asked yet: its own configuration is known only at apply.
    `config` is the configuration with what is sensitive in it hidden: so it is stored and shown.
    """

    attributes: dict[str, Value]
    replace: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    claims: tuple[str, ...] = ()
    decided: bool = False
    binding: Value = None
    deferred: bool = False
    config: dict[str, Value] | None = None


@dataclass(frozen=True, slots=True)
class Operation:
    """One step of a lifecycle, as the provider gets it. `action` is create, update, delete or forget.

    To forget is to clear away our own traces (logs, notes) of an instance that is gone; nothing that stands
    in the world is touched. `prior` is the row as stored, None before the first creation. `binding` is that
    of the proposal which was approved; `identity` that of the resource (see `model.resource.Resource`).
    """

    order: Order
    action: str
    address: str
    type: str
    config: dict[str, Value]
    prior: ResourceRow | None
    binding: Value = None
    identity: str = ""


class Provider(Protocol):
    """Knows how to manage some types of resources.

    Every operation must be safe to give again: `operation.order.doubtful` says that it may have
    been done, wholly or in part, and then the provider looks before it acts.
    """

    @property
    def types(self) -> frozenset[str]:
        """Return the names of the types it manages."""
        ...

    async def read(self, row: ResourceRow) -> Reading:
        """Look at the world."""
        ...

    async def propose(self, type_name: str, prior: ResourceRow | None, config: dict[str, Value]) -> Proposal:
        """Say what would become of an instance; acts on nothing. `config` may hold `Unknown`."""
        ...

    async def apply(self, operation: Operation) -> tuple[dict[str, Value], Value]:
        """Do it; return the new attributes and private value, or raise `ProviderFailed`."""
        ...

    async def abandon(self, operation: Operation) -> None:
        """Stop an operation that is under way."""
        ...


@runtime_checkable
class Configurable(Protocol):
    """A provider that wants a configuration before it can be asked anything."""

    def configured(self, setup: dict[str, Value]) -> Provider:
        """Return the provider under a configuration, which may hold `Unknown` while a plan is made."""
        ...


@runtime_checkable
class Succeeding(Protocol):
    """A provider whose new instance may stand where the one stood that goes for it."""

    async def succeed(self, former: ResourceRow, type_name: str, config: dict[str, Value]) -> Proposal:
        """Say what would become of an instance that takes the place of a former one; acts on nothing."""
        ...


Managing: TypeAlias = Provider | Configurable
"""What manages resources: at once, or under a configuration."""


@runtime_checkable
class Looking(Protocol):
    """A provider that can look up what it does not manage."""

    async def look_up(self, type_name: str, config: dict[str, Value], *, later: bool) -> Proposal:
        """Return what is found; `later` asks only what will be known, before anybody can look.

        Raises `Refusal`, `ProviderFailed`.
        """
        ...


@runtime_checkable
class Discreet(Protocol):
    """A provider with attributes of which nothing may be kept."""

    async def kept(self, type_name: str, config: dict[str, Value]) -> dict[str, Value]:
        """Return a configuration as its row may keep it. Raises `Refusal`, `ProviderFailed`."""
        ...


@runtime_checkable
class Finishing(Protocol):
    """A provider whose operations cannot be taken back half-way: they end, and what they made is kept."""

    async def finish(self, operation: Operation) -> tuple[dict[str, Value] | None, Value]:
        """Have an operation end soon, and return what then stands of it; None: nothing.

        Raises `ProviderDoubt` when nobody can say, and `ProviderFailed` as `apply` does.
        """
        ...


class ProviderDoubt(Exception):
    """Nobody can say whether an operation was done. The run is held and shows `evidence`."""

    def __init__(self, reason: str, evidence: dict[str, Value] | None = None) -> None:
        """Say why nobody knows, and what is known."""
        super().__init__(reason)
        self.evidence = evidence or {}


class ProviderFailed(Exception):
    """An operation ended without success. `attributes` is what stands all the same, None if nothing does."""

    def __init__(
        self, detail: str, attributes: dict[str, Value] | None = None, private: Value = None
    ) -> None:
        """Say what failed, why, and what is left of it."""
        super().__init__(detail)
        self.attributes = attributes
        self.private = private
