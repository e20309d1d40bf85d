"""Schemas as the wire brings them. What is odd in one is the provider's fault, and is said as such."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import field

from google.protobuf.message import Message

from dirigent.model.record import dataclass
from dirigent.providers.tofu.schema.functions import Function, read_functions
from dirigent.providers.tofu.schema.shape import (
    DEPRECATED,
    Attribute,
    Block,
    Nested,
    NestedBlock,
    Nesting,
    Schema,
    collected,
)
from dirigent.providers.tofu.values.types import STRING, read_type


@dataclass(frozen=True, slots=True)
class Schemas:
    """All that a provider offers. `plans_destruction` says that it wants to be asked before a deletion."""

    provider: Schema
    resources: Mapping[str, Schema] = field(default_factory=dict)
    sources: Mapping[str, Schema] = field(default_factory=dict)
    ephemerals: Mapping[str, Schema] = field(default_factory=dict)
    lists: Mapping[str, Schema] = field(default_factory=dict)
    functions: Mapping[str, Function] = field(default_factory=dict)
    plans_destruction: bool = False
    moves: bool = False


def read_schemas(answer: Message) -> Schemas:
    """Return the schemas in an answer to `GetProviderSchema`.

    Raises `NoType`, and `ValueError` or `KeyError` for a nesting that there is not.
    """
    return Schemas(
        provider=_schema(answer.provider),
        resources=_named(answer.resource_schemas),
        sources=_named(answer.data_source_schemas),
        ephemerals=_named(answer.ephemeral_resource_schemas),
        lists=_named(answer.list_resource_schemas),
        functions=read_functions(answer.functions),
        plans_destruction=bool(answer.server_capabilities.plan_destroy),
        moves=bool(answer.server_capabilities.move_resource_state),
    )


def _named(schemas: Mapping[str, Message]) -> dict[str, Schema]:
    return {name: _schema(schemas[name]) for name in sorted(schemas)}


def _schema(message: Message) -> Schema:
    return Schema(int(message.version), _block(message.block))


def _block(message: Message) -> Block:
    return Block(
        _attributes(message.attributes),
        {str(each.type_name): _nested_block(each) for each in message.block_types},
        str(message.description),
        str(message.deprecation_message) or (DEPRECATED if message.deprecated else ""),
    )


def _nested_block(message: Message) -> NestedBlock:
    return NestedBlock(
        str(message.type_name),
        _block(message.block),
        Nesting(message.nesting),
        int(message.min_items),
        int(message.max_items),
    )


def _attributes(messages: Iterable[Message]) -> dict[str, Attribute]:
    return {str(each.name): _attribute(each) for each in messages}


def _attribute(message: Message) -> Attribute:
    # Version 5 has no such field.
    has_members = "nested_type" in message.DESCRIPTOR.fields_by_name and message.HasField("nested_type")
    nested = None
    if has_members:
        inner = message.nested_type
        nested = Nested(_attributes(inner.attributes), Nesting(inner.nesting))
    given = collected(nested.attributes, nested.nesting) if nested is not None else STRING
    return Attribute(
        str(message.name),
        given if nested is not None else read_type(message.type),
        nested,
        required=bool(message.required),
        optional=bool(message.optional),
        computed=bool(message.computed),
        sensitive=bool(message.sensitive),
        write_only=bool(message.write_only),
        description=str(message.description),
        deprecated=str(message.deprecation_message) or (DEPRECATED if message.deprecated else ""),
    )
