"""Classes of messages, built from the table when a version is first spoken: no generated code.

Names of messages are ours, for they are never on the wire; numbers and types are the protocol's.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Final

from google.protobuf.descriptor_pb2 import DescriptorProto, FieldDescriptorProto, FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from dirigent.model.record import dataclass
from dirigent.providers.tofu.wire.fields import ATTRIBUTE, SHARED

_SCALARS: Final = {
    "string": FieldDescriptorProto.TYPE_STRING,
    "bytes": FieldDescriptorProto.TYPE_BYTES,
    "bool": FieldDescriptorProto.TYPE_BOOL,
    "int32": FieldDescriptorProto.TYPE_INT32,
    "int64": FieldDescriptorProto.TYPE_INT64,
}
_FIELD: Final = re.compile(r"(\d+) (\w+) ([\w.]+)(\*|\{\}|\?|)")


@dataclass(frozen=True, slots=True)
class Number:
    """One field of the table. `mark` is `*`, `{}`, `?` or nothing."""

    number: int
    name: str
    kind: str
    mark: str


def table(version: int) -> dict[str, tuple[Number, ...]]:
    """Return the fields of every message of a version, by the message's name."""
    found: dict[str, tuple[Number, ...]] = {}
    name = ""
    for line in (SHARED + ATTRIBUTE[version]).splitlines():
        if line and not line.startswith(" "):
            name = line.split()[0]
            found[name] = ()
        if name:
            found[name] += tuple(_numbers(line.removeprefix(name)))
    return found


@cache
def messages(version: int) -> Mapping[str, type[Message]]:
    """Return the class of each message of a version."""
    package = f"dirigent.tofu{version}"
    file = FileDescriptorProto(name=f"{package}.proto", package=package, syntax="proto3")
    for name, fields in table(version).items():
        file.message_type.append(_described(package, name, fields))
    pool = DescriptorPool()
    pool.Add(file)
    return {
        name: GetMessageClass(pool.FindMessageTypeByName(f"{package}.{_plain(name)}"))
        for name in table(version)
    }


def _numbers(line: str) -> Iterator[Number]:
    for number, name, kind, mark in _FIELD.findall(line):
        yield Number(int(number), name, kind, mark)


def _plain(name: str) -> str:
    return name.replace(".", "_")


def _described(package: str, name: str, fields: tuple[Number, ...]) -> DescriptorProto:
    message = DescriptorProto(name=_plain(name))
    for each in fields:
        field = message.field.add(name=each.name, number=each.number)
        repeats = each.mark in {"*", "{}"}
        field.label = FieldDescriptorProto.LABEL_REPEATED if repeats else FieldDescriptorProto.LABEL_OPTIONAL
        if each.mark == "{}":
            entry = f"{each.name.title().replace('_', '')}Entry"
            field.type = FieldDescriptorProto.TYPE_MESSAGE
            field.type_name = f".{package}.{_plain(name)}.{entry}"
            _add_entry(message, package, entry, each.kind)
        else:
            _set_type(field, package, each.kind)
        if each.mark == "?":
            field.proto3_optional = True
            field.oneof_index = len(message.oneof_decl)
            message.oneof_decl.add(name=f"_{each.name}")
    return message


def _add_entry(message: DescriptorProto, package: str, entry: str, kind: str) -> None:
    pair = message.nested_type.add(name=entry)
    pair.options.map_entry = True
    for number, name, of in ((1, "key", "string"), (2, "value", kind)):
        field = pair.field.add(name=name, number=number, label=FieldDescriptorProto.LABEL_OPTIONAL)
        _set_type(field, package, of)


def _set_type(field: FieldDescriptorProto, package: str, kind: str) -> None:
    if kind in _SCALARS:
        field.type = _SCALARS[kind]
    else:
        field.type = FieldDescriptorProto.TYPE_MESSAGE
        field.type_name = f".{package}.{_plain(kind)}"
