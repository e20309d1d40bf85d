"""Schemas in JSON, in the shape of `terraform providers schema -json`, for tools that read that."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Final

from dirigent.model.values import Value
from dirigent.providers.tofu.schema.reading import Schemas
from dirigent.providers.tofu.schema.shape import Attribute, Block, NestedBlock, Nesting, Schema
from dirigent.providers.tofu.values.types import write_type

_MODES: Final = {each: each.name.lower() for each in Nesting}


def schemas_json(schemas: Schemas, only: str = "") -> dict[str, Value]:
    """Return what a provider offers; with `only`, of nothing but one type."""
    found: dict[str, Value] = {} if only else {"provider": _schema(schemas.provider)}
    kinds = {
        "resource_schemas": schemas.resources,
        "data_source_schemas": schemas.sources,
        "ephemeral_resource_schemas": schemas.ephemerals,
        "list_resource_schemas": schemas.lists,
    }
    for key, named in kinds.items():
        chosen: dict[str, Value] = {
            name: _schema(each) for name, each in named.items() if not only or name == only
        }
        if chosen:
            found[key] = chosen
    return found


def _schema(schema: Schema) -> dict[str, Value]:
    return {"version": schema.version, "block": _block(schema.block)}


def _block(block: Block) -> dict[str, Value]:
    found: dict[str, Value] = {}
    if block.attributes:
        found["attributes"] = _attributes(block.attributes)
    if block.blocks:
        blocks: dict[str, Value] = {name: _nested(each) for name, each in block.blocks.items()}
        found["block_types"] = blocks
    return found | _words(block.description, block.deprecated)


def _nested(nested: NestedBlock) -> dict[str, Value]:
    found: dict[str, Value] = {"nesting_mode": _MODES[nested.nesting], "block": _block(nested.block)}
    if nested.least:
        found["min_items"] = nested.least
    if nested.most:
        found["max_items"] = nested.most
    return found


def _attributes(attributes: Mapping[str, Attribute]) -> dict[str, Value]:
    return {name: _attribute(each) for name, each in attributes.items()}


def _attribute(attribute: Attribute) -> dict[str, Value]:
    found: dict[str, Value] = {}
    if attribute.nested is not None:
        found["nested_type"] = {
            "attributes": _attributes(attribute.nested.attributes),
            "nesting_mode": _MODES[attribute.nested.nesting],
        }
    else:
        kind: Value = json.loads(write_type(attribute.type))
        found["type"] = kind
    flags = {
        "required": attribute.required,
        "optional": attribute.optional,
        "computed": attribute.computed,
        "sensitive": attribute.sensitive,
        "write_only": attribute.write_only,
    }
    found |= {name: True for name, flag in flags.items() if flag}
    return found | _words(attribute.description, attribute.deprecated)


def _words(description: str, deprecated: str) -> dict[str, Value]:
    found: dict[str, Value] = {}
    if description:
        found["description"] = description
    if deprecated:
        found |= {"deprecated": True, "deprecation_message": deprecated}
    return found
