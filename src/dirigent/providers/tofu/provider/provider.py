"""A provider of OpenTofu, by the port of all providers: under each of its configurations one of these."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import field, replace
from typing import Final

from dirigent.model.record import dataclass
from dirigent.model.resource import CALL, OPEN, ResourceRow
from dirigent.model.values import Unknown, Value
from dirigent.ports.importing import Inventory
from dirigent.ports.resources import Operation, Proposal, ProviderDoubt, ProviderFailed, Reading
from dirigent.providers.tofu.lifecycle.cycle import intend, look
from dirigent.providers.tofu.lifecycle.proposing import same
from dirigent.providers.tofu.lifecycle.session import Session, Standing
from dirigent.providers.tofu.provider.changing import Changing, Left, find_under
from dirigent.providers.tofu.provider.conversation import Conversation
from dirigent.providers.tofu.provider.fleeting.lasting import Leases
from dirigent.providers.tofu.provider.fleeting.naming import Way, forgetting
from dirigent.providers.tofu.provider.fleeting.opening import Lending, named
from dirigent.providers.tofu.provider.functions import call
from dirigent.providers.tofu.provider.inventory import inventory_of, unready
from dirigent.providers.tofu.provider.moving import received_by
from dirigent.providers.tofu.provider.pool import Pool, Program
from dirigent.providers.tofu.provider.rows import Binding, Kept, kept_from, kept_of, standing_of
from dirigent.providers.tofu.provider.secrecy import Secrecy
from dirigent.providers.tofu.provider.words import NOTHING_LEFT, broken, told, warnings
from dirigent.providers.tofu.schema.identity import identity_of
from dirigent.providers.tofu.schema.shape import Block, Schema, implied
from dirigent.providers.tofu.values.paths import shown

Find = Callable[[], Awaitable[Program]]
_TYPES: Final[frozenset[str]] = frozenset()


@dataclass(frozen=True, slots=True)
class TofuProvider:
    """One entry of `providers`. `find` returns its program, and is called when that is first wanted.

    `gate` lets so many operations change the world at a time; `under_way` are those, by effect.
    """

    name: str
    find: Find
    pool: Pool
    secrecy: Secrecy
    gate: asyncio.Semaphore
    leases: Leases
    under_way: dict[str, asyncio.Task[Left]] = field(default_factory=dict)

    def configured(self, setup: dict[str, Value]) -> ConfiguredProvider:
        """Return it under a configuration."""
        return ConfiguredProvider(self, setup)

    async def digest(self) -> str:
        """Return the SHA-256 of its program. Raises `Refusal` when there is none."""
        return (await self.find()).digest

    async def conversation(self, setup: dict[str, Value]) -> Conversation:
        """Begin a conversation. Raises `Refusal` when there is no program."""
        program, secrecy = await self.find(), self.secrecy.fresh()
        return Conversation(self.name, program, self.pool, setup, secrecy, self.leases)

    async def lend(self, way: Way) -> Lending:
        """Begin the conversation in which something is opened. Raises as `conversation` does."""
        return Lending(await self.conversation(way.setup), way)


@dataclass(frozen=True, slots=True)
class ConfiguredProvider:
    """Implements `ports.resources.Provider` and `ports.resources.Finishing`."""

    of: TofuProvider
    setup: dict[str, Value]

    @property
    def types(self) -> frozenset[str]:
        """Return nothing: its types are known by their prefix, or by the name of the provider."""
        return _TYPES

    async def read(self, row: ResourceRow) -> Reading:
        """Look at an object, from what its row keeps."""
        talk = await self.of.conversation(self.setup)
        with told(talk.name, talk.secrecy):
            schema = await talk.schema(row.type)
            kept = kept_of(row, talk.secrecy)
            standing = standing_of(row, kept, talk.secrecy)
            found = await talk.ask(lambda session: look(session, row.type, kept.version, standing))
        if found is None:
            return Reading(None)
        talk.secrecy.reveal(dict(row.config))
        return _reading(talk, row, schema, found)

    async def propose(self, type_name: str, prior: ResourceRow | None, config: dict[str, Value]) -> Proposal:
        """Say what would become of an object. Who cannot be configured yet knows only what is written."""
        talk = await self.of.conversation(self.setup)
        with told(talk.name, talk.secrecy):
            schema = await talk.schema(type_name)
            given = await talk.taken(type_name, schema, config)
            kept = talk.secrecy.conceal(schema.block, config)
            if talk.deferred:
                later = talk.secrecy.hide(schema.block, _later(schema.block, given))
                return Proposal(later, decided=True, deferred=True, config=kept)
            standing = None if prior is None else await _upgraded(talk, prior, schema)
            intention = await talk.ask(lambda session: intend(session, type_name, standing, given))
            inputs = await talk.inputs(type_name, given)
        planned = intention.change.planned or {}
        change = intention.change
        bound = Binding(planned, standing, inputs, change.private, intention.legacy, change.identity)
        return Proposal(
            talk.secrecy.hide(schema.block, planned),
            tuple(shown(path) for path in intention.replaces),
            warnings(intention.said, talk.secrecy),
            decided=True,
            binding=bound.written(implied(schema.block), talk.secrecy),
            config=kept,
        )

    async def look_up(self, type_name: str, config: dict[str, Value], *, later: bool) -> Proposal:
        """Read a data source, or say what will be known of it."""
        talk = await self.of.conversation(self.setup)
        with told(talk.name, talk.secrecy):
            if type_name.startswith(CALL):
                return await call(talk, type_name.removeprefix(CALL), config)
            if type_name.startswith(OPEN):
                return await named(talk, type_name.removeprefix(OPEN), config, later=later)
            schema = await talk.source(type_name)
            given = await talk.taken(type_name, schema, config)
            if later or talk.deferred:
                unread = talk.secrecy.hide(schema.block, _later(schema.block, given))
                return Proposal(unread, decided=True, deferred=True)
            found = await talk.ask(lambda session: session.look_up(type_name, given))
        if found is None:
            raise broken("E3014", f"the provider `{talk.name}` has found nothing, and does not say why")
        kept = Kept(talk.program.source, schema.version).written(talk.secrecy)
        return Proposal(talk.secrecy.hide(schema.block, found), decided=True, binding=kept)

    async def kept(self, type_name: str, config: dict[str, Value]) -> dict[str, Value]:
        """Return a configuration as its row may keep it: nothing write-only, nothing sensitive in clear."""
        talk = await self.of.conversation(self.setup)
        with told(talk.name, talk.secrecy):
            block = (await talk.schema(type_name)).block
            return talk.secrecy.conceal(block, forgetting(block, config))

    async def adopt(self, type_name: str, identity: str, config: dict[str, Value]) -> Reading:
        """Look at what exists under an import id, or an identity in JSON.

        What a secret of the configuration is, is sealed in it.
        """
        talk = await self.of.conversation(self.setup)
        if talk.deferred:
            raise unready(talk, type_name, "imported")
        with told(talk.name, talk.secrecy):
            schema = await talk.schema(type_name)
            await talk.borrow(config)
            talk.secrecy.reveal(config)
            found = await talk.ask(lambda session: find_under(session, type_name, identity_of(identity)))
        if found is None:
            return Reading(None)
        kept = kept_from(found, talk.program.source, schema.version)
        attributes = talk.secrecy.hide(schema.block, found.state)
        told_of = talk.secrecy.conceal(schema.block, forgetting(schema.block, config))
        return Reading(attributes, told_of, private=kept.written(talk.secrecy))

    async def receive(self, row: ResourceRow, type_name: str) -> Reading:
        """Return what an object of another type, or of another provider, is as one of ours."""
        talk = await self.of.conversation(self.setup)
        with told(talk.name, talk.secrecy):
            return await received_by(talk, row, type_name)

    async def inventory(
        self, type_name: str, wanted: dict[str, Value], rows: Sequence[ResourceRow], most: int
    ) -> Inventory:
        """List what there is of a type, and say what of it is managed."""
        talk = await self.of.conversation(self.setup)
        if talk.deferred:
            raise unready(talk, type_name, "listed")
        with told(talk.name, talk.secrecy):
            return await inventory_of(talk, type_name, wanted, rows, most)

    async def apply(self, operation: Operation) -> tuple[dict[str, Value], Value]:
        """Carry an operation out. It goes on to its end although this task is cancelled: see `finish`."""
        if operation.action == "forget":
            return {}, None
        task = asyncio.ensure_future(self._changed(operation))
        self.of.under_way[operation.order.id] = task
        task.add_done_callback(lambda done: self._over(operation, done))
        return await asyncio.shield(task)

    async def finish(self, operation: Operation) -> tuple[dict[str, Value] | None, Value]:
        """Have an operation end soon, and return what then stands of it; None: nothing.

        Raises:
            ProviderDoubt: when nobody can say what stands.
            ProviderFailed: as `apply` does.
        """
        task = self.of.under_way.get(operation.order.id)
        talk = await self.of.conversation(self.setup)
        if task is None:
            with told(talk.name, talk.secrecy):
                left = await (await self._change(talk, operation)).standing()
            return left or NOTHING_LEFT
        await talk.stop()
        await asyncio.wait([task])
        if task.cancelled():
            raise ProviderDoubt(f"`{operation.address}` was stopped before it had come to an end")
        ended = task.result()
        return NOTHING_LEFT if operation.action == "delete" else ended

    async def abandon(self, operation: Operation) -> None:
        """Have an operation end soon, however it ends."""
        with suppress(ProviderDoubt, ProviderFailed):
            await self.finish(operation)

    def _over(self, operation: Operation, task: asyncio.Task[Left]) -> None:
        self.of.under_way.pop(operation.order.id, None)
        # Where nobody waits for it any more, how it ended is not wanted either.
        _ = None if task.cancelled() else task.exception()

    async def _changed(self, operation: Operation) -> Left:
        async with self.of.gate:
            talk = await self.of.conversation(self.setup)
            with told(talk.name, talk.secrecy):
                change = await self._change(talk, operation)
                match operation.action:
                    case "create":
                        return await change.create()
                    case "update":
                        return await change.update()
                    case _:
                        await change.delete()
                        return {}, None

    async def _change(self, talk: Conversation, operation: Operation) -> Changing:
        schema = await talk.schema(operation.type)
        if operation.prior is not None:
            # What was sealed stays so, also where the schema calls it no secret, as after a move.
            talk.secrecy.reveal(operation.prior.attributes)
        given = (
            {} if operation.action == "delete" else await talk.taken(operation.type, schema, operation.config)
        )
        return Changing(talk, operation, schema, given)


def _reading(talk: Conversation, row: ResourceRow, schema: Schema, found: Standing) -> Reading:
    """Return what was seen; `config` has what is not as it was applied, written or left out."""
    attributes = talk.secrecy.hide(schema.block, found.state)
    kept = kept_from(found, talk.program.source, schema.version)
    drift = {
        name: value
        for name, value in attributes.items()
        if (name in row.config or _left_out(schema.block, name)) and not same(value, row.attributes.get(name))
    }
    return Reading(attributes, drift, private=kept.written(talk.secrecy))


def _left_out(block: Block, name: str) -> bool:
    """Return whether only a configuration sets this: to leave it out is to want it gone."""
    attribute = block.attributes.get(name)
    return name in block.blocks if attribute is None else attribute.settable and not attribute.computed


async def _upgraded(talk: Conversation, prior: ResourceRow, schema: Schema) -> Standing:
    """Return the object of a row as this release of its provider has it."""
    kept = kept_of(prior, talk.secrecy)
    standing = standing_of(prior, kept, talk.secrecy)
    if kept.version == schema.version:
        return standing

    async def upgrade(session: Session) -> Standing:
        state = await session.upgrade(prior.type, kept.version, standing.state)
        return replace(standing, state=state or {})

    return await talk.ask(upgrade)


def _later(block: Block, given: dict[str, Value]) -> dict[str, Value]:
    """Return what is known of a state of which the provider could not be asked."""
    found: dict[str, Value] = {
        name: Unknown() if each.computed and given[name] is None else given[name]
        for name, each in block.attributes.items()
    }
    return found | {name: given[name] for name in block.blocks}
