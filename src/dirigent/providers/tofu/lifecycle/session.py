"""A configured provider, by what can be asked of it: the calls with values in place of messages."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import field, replace
from hashlib import blake2b
from typing import Final

from google.protobuf.message import Message

from dirigent.model import limits
from dirigent.model.record import dataclass
from dirigent.model.values import Value
from dirigent.providers.tofu.process.connection import CallUnknown, Connection
from dirigent.providers.tofu.schema.identity import IdentitySchema, read_identities
from dirigent.providers.tofu.schema.reading import Schemas, read_schemas
from dirigent.providers.tofu.schema.shape import Schema, implied
from dirigent.providers.tofu.values.coding import decode, encode
from dirigent.providers.tofu.values.paths import Misfit, Path
from dirigent.providers.tofu.values.stored import restored, stored
from dirigent.providers.tofu.values.types import NoType, Type
from dirigent.providers.tofu.wire import calls
from dirigent.providers.tofu.wire.diagnostics import Diagnostic, diagnostics_of, path_of

# What we say we are where a provider asks: the release whose protocol this is.
CLAIMED_VERSION: Final = "1.9.0"
# Digests of questions that need no second answer: some ten megabytes.
SETTLED: Final = 100_000


@dataclass(frozen=True, slots=True)
class Standing:
    """One object as its provider knows it: its state, bytes that only the provider understands, its identity.

    Not every provider tells identities; then there is None. `identity_version` is that of its schema.
    """

    state: dict[str, Value]
    private: bytes = b""
    identity: dict[str, Value] | None = None
    identity_version: int = 0


@dataclass(frozen=True, slots=True)
class Planned:
    """What a provider means to do. `replaces` are paths that would force a new object if they changed."""

    state: dict[str, Value] | None
    private: bytes = b""
    replaces: tuple[Path, ...] = ()
    legacy: bool = False
    said: tuple[Diagnostic, ...] = ()
    identity: dict[str, Value] | None = None


@dataclass(frozen=True, slots=True)
class Applied:
    """What has become of it: `standing` None says that there is nothing. Errors may stand beside a state."""

    standing: Standing | None
    legacy: bool = False
    said: tuple[Diagnostic, ...] = ()


@dataclass(frozen=True, slots=True)
class Change:
    """One change of one object. A state of None stands for nothing: a creation, or a deletion."""

    type: str
    prior: dict[str, Value] | None
    planned: dict[str, Value] | None
    config: dict[str, Value] | None
    private: bytes = b""
    identity: dict[str, Value] | None = None


class Refused(Exception):
    """A provider answered with errors, and nothing was done."""

    def __init__(self, said: tuple[Diagnostic, ...]) -> None:
        """Keep all that it said."""
        super().__init__("; ".join(str(each) for each in said if each.severe))
        self.said = said


class Misconfigured(Refused):
    """A provider refused its own configuration."""


@dataclass(frozen=True, slots=True)
class Session:
    """What can be asked. Every call may raise `CallBroken`, `CallUnknown` and `Misfit`.

    `Misfit` means that the provider, or we, sent a value that is not of the type that the schema names.
    `settled` are the digests of questions whose answer is known, and is that nothing is to be said.
    """

    connection: Connection
    schemas: Schemas
    types: dict[str, Type] = field(default_factory=dict)
    identities: Mapping[str, IdentitySchema] = field(default_factory=dict)
    settled: set[bytes] = field(default_factory=set)

    def schema(self, name: str) -> Schema:
        """Return the schema of a type of resources."""
        return self.schemas.resources[name]

    async def configure(self, config: Mapping[str, Value]) -> tuple[Diagnostic, ...]:
        """Check and take the provider's own configuration. Raises `Refused`."""
        connection, given = self.connection, dict(config)
        kind = implied(self.schemas.provider.block)
        check = connection.message("ValidateProviderConfig.Request")
        check.config.msgpack = encode(given, kind)
        said = sound(await connection.call(calls.VALIDATE_PROVIDER, check))
        request = connection.message("ConfigureProvider.Request")
        request.terraform_version = CLAIMED_VERSION
        request.config.msgpack = encode(given, kind)
        return said + sound(await connection.call(calls.CONFIGURE, request))

    async def validate(self, name: str, config: Mapping[str, Value]) -> tuple[Diagnostic, ...]:
        """Let a configuration be checked; unknown values are allowed. Raises `Refused`.

        The answer hangs on nothing else: a provider is asked the same before it is configured. So what was
        found sound, without a word, is not asked again.
        """
        content = encode(dict(config), self._type(name))
        key = _key("validate", name, content)
        if key in self.settled:
            return ()
        request = self.connection.message("ValidateConfig.Request")
        request.type_name = name
        request.config.msgpack = content
        request.client_capabilities.write_only_attributes_allowed = True
        said = sound(await self.connection.call(calls.VALIDATE, request))
        if not said:
            self._settle(key)
        return said

    async def upgrade(self, name: str, version: int, state: Mapping[str, Value]) -> dict[str, Value] | None:
        """Return a stored state as this release of the provider has it. Raises `Refused`.

        One of the present version that came back as it was given is not asked about again.
        """
        kind, content, key = self._type(name), b"", b""
        if version == self.schema(name).version:
            content = encode(dict(state), kind)
            key = _key("upgrade", name, content)
            if key in self.settled:
                return dict(state)
        request = self.connection.message("UpgradeResourceState.Request")
        request.type_name = name
        request.version = version
        request.raw_state.json = json.dumps(stored(dict(state), kind)).encode()
        answer = await self.connection.call(calls.UPGRADE, request)
        said, found = sound(answer), self._state(name, answer.upgraded_state)
        if key and not said and found is not None and encode(found, kind) == content:
            self._settle(key)
        return found

    async def read(self, name: str, standing: Standing) -> Standing | None:
        """Look at an object; None when it is gone. Raises `Refused`."""
        request = self.connection.message("ReadResource.Request")
        request.type_name = name
        request.current_state.msgpack = encode(standing.state, self._type(name))
        request.private = standing.private
        _identify(self, request.current_identity, name, standing.identity)
        answer = await self.connection.call(calls.READ, request)
        sound(answer)
        state, identity = self._state(name, answer.new_state), _identity(self, name, answer.new_identity)
        if state is None:
            return None
        seen = replace(standing, state=state, private=bytes(answer.private))
        return _known_as(self, name, seen, identity) if identity else seen

    async def plan(self, change: Change, proposed: dict[str, Value] | None) -> Planned:
        """Ask what would become of an object. Raises `Refused`."""
        request = self.connection.message("PlanResourceChange.Request")
        kind = self._type(change.type)
        request.type_name = change.type
        request.prior_state.msgpack = encode(change.prior, kind)
        request.proposed_new_state.msgpack = encode(proposed, kind)
        request.config.msgpack = encode(change.config, kind)
        request.prior_private = change.private
        _identify(self, request.prior_identity, change.type, change.identity)
        request.client_capabilities.write_only_attributes_allowed = True
        answer = await self.connection.call(calls.PLAN, request)
        said = sound(answer)
        return Planned(
            self._state(change.type, answer.planned_state),
            bytes(answer.planned_private),
            tuple(path_of(each) for each in answer.requires_replace),
            bool(answer.legacy_type_system),
            said,
            _identity(self, change.type, answer.planned_identity),
        )

    async def apply(self, change: Change) -> Applied:
        """Carry a planned change out. What it says of errors stands beside what it has left."""
        request = self.connection.message("ApplyResourceChange.Request")
        kind = self._type(change.type)
        request.type_name = change.type
        request.prior_state.msgpack = encode(change.prior, kind)
        request.planned_state.msgpack = encode(change.planned, kind)
        request.config.msgpack = encode(change.config, kind)
        request.planned_private = change.private
        _identify(self, request.planned_identity, change.type, change.identity)
        answer = await self.connection.call(calls.APPLY, request, limits.PROVIDER_CHANGE_SECONDS)
        state = self._state(change.type, answer.new_state)
        left = None if state is None else Standing(state, bytes(answer.private))
        identity = _identity(self, change.type, answer.new_identity)
        return Applied(
            None if left is None else _known_as(self, change.type, left, identity),
            bool(answer.legacy_type_system),
            diagnostics_of(answer.diagnostics),
        )

    async def find(self, name: str, identity: str | dict[str, Value]) -> list[tuple[str, Standing]]:
        """Return the objects, with their types, that an id or an identity means. Raises `Refused`."""
        request = self.connection.message("ImportResourceState.Request")
        request.type_name = name
        if isinstance(identity, str):
            request.id = identity
        else:
            _identify(self, request.identity, name, identity)
        answer = await self.connection.call(calls.IMPORT, request)
        sound(answer)
        found: list[tuple[str, Standing]] = []
        for each in answer.imported_resources:
            state = self._state(str(each.type_name), each.state)
            if state is not None:
                kind, stub = str(each.type_name), Standing(state, bytes(each.private))
                found.append((kind, _known_as(self, kind, stub, _identity(self, kind, each.identity))))
        return found

    async def look_up(self, name: str, config: Mapping[str, Value]) -> dict[str, Value] | None:
        """Read a data source. Raises `Refused`."""
        kind = implied(self.schemas.sources[name].block)
        request = self.connection.message("ReadDataSource.Request")
        request.type_name = name
        request.config.msgpack = encode(dict(config), kind)
        answer = await self.connection.call(calls.READ_DATA, request)
        sound(answer)
        return members_of(answer.state, kind)

    async def stop(self) -> None:
        """Ask it to bring what is under way to an end soon; the calls still answer."""
        await self.connection.call(calls.STOP, self.connection.message("Empty"))

    def _type(self, name: str) -> Type:
        if name not in self.types:
            self.types[name] = implied(self.schemas.resources[name].block)
        return self.types[name]

    def _settle(self, key: bytes) -> None:
        if len(self.settled) >= SETTLED:
            self.settled.clear()
        self.settled.add(key)

    def _state(self, name: str, content: Message) -> dict[str, Value] | None:
        return members_of(content, self._type(name))


async def opened(connection: Connection) -> Session:
    """Ask a provider for its schemas; it is not configured. Raises `Refused`, `CallBroken`, `NoType`.

    Providers of the old kit need the question even where the answer is known.
    """
    answer = await connection.call(calls.SCHEMA, connection.message("Empty"))
    sound(answer)
    try:
        return Session(connection, read_schemas(answer), identities=await _identities(connection))
    except (ValueError, KeyError) as odd:
        raise NoType(f"its schema cannot be read: {odd}") from None


def _identify(session: Session, into: Message, name: str, identity: dict[str, Value] | None) -> None:
    if identity is not None and name in session.identities:
        # One of an earlier release may have another shape: the provider then tells it anew.
        with suppress(Misfit):
            into.identity_data.msgpack = encode(identity, session.identities[name].kind)


def _identity(session: Session, name: str, content: Message) -> dict[str, Value] | None:
    if name not in session.identities:
        return None
    return members_of(content.identity_data, session.identities[name].kind)


def _known_as(session: Session, name: str, standing: Standing, identity: dict[str, Value] | None) -> Standing:
    """Return an object with the identity that its provider has just told, in the version it speaks now."""
    version = session.identities[name].version if identity is not None else 0
    return replace(standing, identity=identity, identity_version=version)


async def _identities(connection: Connection) -> Mapping[str, IdentitySchema]:
    try:
        answer = await connection.call(calls.IDENTITIES, connection.message("Empty"))
    except CallUnknown:
        return {}
    sound(answer)
    return read_identities(answer)


def _key(question: str, name: str, content: bytes) -> bytes:
    return blake2b(f"{question} {name}\n".encode() + content, digest_size=16).digest()


def members_of(content: Message, kind: Type) -> dict[str, Value] | None:
    """Return the object in a message of the type `DynamicValue`. Raises `Misfit`."""
    if content.msgpack:
        found = decode(content.msgpack, kind)
    else:
        found = restored(json.loads(content.json), kind) if content.json else None
    return found if isinstance(found, dict) else None


def sound(answer: Message) -> tuple[Diagnostic, ...]:
    """Return the warnings of an answer, or raise `Refused` when there are errors."""
    said = diagnostics_of(answer.diagnostics)
    if any(each.severe for each in said):
        raise Refused(said)
    return said
