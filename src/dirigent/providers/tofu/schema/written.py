"""A schema in terms of JSON, and back. What is false or empty is left out: most of a schema is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from dirigent.model.values import Value
from dirigent.providers.tofu.schema.shape import (
    Attribute,
    Block,
    Nested,
    NestedBlock,
    Nesting,
    Schema,
    collected,
)
from dirigent.providers.tofu.values.types import read_type, write_type

FLAGS: Final = ("required", "optional", "computed", "sensitive", "write_only")
_TEXTS: Final = ("description", "deprecated")


def write_schema(schema: Schema) -> Value:
    """Return a schema in terms of JSON."""
    return {"version": schema.version, "block": _write_block(schema.block)}


def read_schema(written: Value) -> Schema:
    """Return the schema that was written.

    Raises `NoType`, `KeyError`, `TypeError` and `ValueError` for what is none.
    """
    found = _members(written)
    return Schema(_number(found["version"]), _read_block(found["block"]))


def _write_block(block: Block) -> Value:
    written: dict[str, Value] = {"description": block.description, "deprecated": block.deprecated}
    written["attributes"] = {name: _write_attribute(each) for name, each in block.attributes.items()}
    written["blocks"] = {name: _write_nested(each) for name, each in block.blocks.items()}
    return {name: each for name, each in written.items() if each}


def _write_nested(nested: NestedBlock) -> Value:
    return {
        "block": _write_block(nested.block),
        "nesting": int(nested.nesting),
        "least": nested.least,
        "most": nested.most,
    }


def _write_attribute(attribute: Attribute) -> Value:
    written: dict[str, Value] = {name: True for name in FLAGS if getattr(attribute, name)}
    for name in _TEXTS:
        if getattr(attribute, name):
            written[name] = getattr(attribute, name)
    if attribute.nested is None:
        written["type"] = write_type(attribute.type)
    else:
        inner = attribute.nested.attributes.items()
        written["attributes"] = {name: _write_attribute(each) for name, each in inner}
        written["nesting"] = int(attribute.nested.nesting)
    return written


def _read_block(written: Value) -> Block:
    found = _members(written)
    return Block(
        {name: _read_attribute(name, each) for name, each in _members(found.get("attributes", {})).items()},
        {name: _read_nested(name, each) for name, each in _members(found.get("blocks", {})).items()},
        str(found.get("description", "")),
        str(found.get("deprecated", "")),
    )


def _read_nested(name: str, written: Value) -> NestedBlock:
    found = _members(written)
    nesting = Nesting(_number(found["nesting"]))
    least, most = _number(found["least"]), _number(found["most"])
    return NestedBlock(name, _read_block(found["block"]), nesting, least, most)


def _read_attribute(name: str, written: Value) -> Attribute:
    found = _members(written)
    nested = None
    if "attributes" in found:
        inner = _members(found["attributes"])
        attributes = {each: _read_attribute(each, inner[each]) for each in inner}
        nested = Nested(attributes, Nesting(_number(found["nesting"])))
    kind = collected(nested.attributes, nested.nesting) if nested else read_type(str(found["type"]))
    required, optional, computed, sensitive, write_only = (found.get(flag) is True for flag in FLAGS)
    return Attribute(
        name,
        kind,
        nested,
        required=required,
        optional=optional,
        computed=computed,
        sensitive=sensitive,
        write_only=write_only,
        description=str(found.get("description", "")),
        deprecated=str(found.get("deprecated", "")),
    )


def _members(value: Value) -> Mapping[str, Value]:
    if not isinstance(value, dict):
        raise TypeError(f"{value!r} is no object")
    return value


def _number(value: Value) -> int:
    if not isinstance(value, int):
        raise TypeError(f"{value!r} is no number")
    return value
