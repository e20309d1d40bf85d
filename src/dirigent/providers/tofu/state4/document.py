"""A state of version 4 as values, with nothing of what it means to us."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import field
from typing import Final, TypeAlias

from dirigent.model.record import dataclass
from dirigent.model.values import Value

VERSION: Final = 4
MANAGED: Final = "managed"
DATA: Final = "data"
TAINTED: Final = "tainted"

# A slash within quotes is part of a key; no key has a double quote.
_BORDER: Final = re.compile(r'/(?=(?:[^"]*"[^"]*")*[^"]*$)')
_MODULE: Final = re.compile(r'(?:^|\.)module\.([\w-]+(?:\[(?:"[^"]*"|[0-9]+)\])?)')
_KEY: Final = re.compile(r'\[(?:"[^"]*"|[0-9]+)\]')

Key: TypeAlias = "int | str | None"


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a path: the member of an object, or with `index` what a list or a map has at a key."""

    at: int | str
    index: bool = False


Steps: TypeAlias = tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Instance:
    """One object. `deposed` is the key of one that was replaced and is still to be deleted, else empty.

    `sensitive` are the paths that its configuration marked, `private` the provider's bytes in base64.
    """

    attributes: dict[str, Value]
    version: int = 0
    key: Key = None
    tainted: bool = False
    deposed: str = ""
    sensitive: tuple[Steps, ...] = ()
    private: str = ""
    dependencies: tuple[str, ...] = ()
    create_first: bool = False
    identity: dict[str, Value] | None = None
    identity_version: int = 0


@dataclass(frozen=True, slots=True)
class Entry:
    """The objects of one block `resource` or `data`.

    `module` is its path (`module.net["eu"].module.sub`), empty for the root; `source` is HOST/NAMESPACE/TYPE
    of its provider, `alias` the name of the provider's configuration.
    """

    mode: str
    type: str
    name: str
    source: str
    alias: str = ""
    module: str = ""
    instances: tuple[Instance, ...] = ()

    @property
    def origin(self) -> str:
        """Return what people call it: `null_resource.web`, `module.net.null_resource.web`."""
        kind = f"data.{self.type}" if self.mode == DATA else self.type
        return f"{self.module}.{kind}.{self.name}" if self.module else f"{kind}.{self.name}"


@dataclass(frozen=True, slots=True)
class Document:
    """The whole of it. `outputs` and `checks` are as they were written: we only pass them on."""

    lineage: str
    serial: int
    entries: tuple[Entry, ...] = ()
    terraform: str = "1.0.0"
    outputs: Mapping[str, Value] = field(default_factory=dict)
    checks: Value = None

    @property
    def managed(self) -> tuple[Entry, ...]:
        """Return the entries that somebody manages."""
        return tuple(each for each in self.entries if each.mode == MANAGED)


def origin_of(name: str, kind: str) -> str:
    """Return what Terraform calls a resource of ours when nobody says otherwise; `net/web` is in a module."""
    *modules, last = _BORDER.split(name)
    return "".join(f"module.{each}." for each in modules) + f"{kind}.{last}"


def path_of(module: str) -> str:
    """Return the path of a module as our names begin: `net["eu"]/sub/` for `module.net["eu"].module.sub`."""
    return "".join(f"{part}/" for part in _MODULE.findall(module))


def declared_path(name: str) -> str:
    """Return where something is declared: `net/web` for `net["eu"]/web`; likewise of Terraform's names."""
    return _KEY.sub("", name)


def shown(origin: str, instance: Instance) -> str:
    """Return the address of an object as Terraform shows it: `null_resource.web["eu"]`."""
    key = instance.key
    placed = origin if key is None else f"{origin}[{key}]" if isinstance(key, int) else f'{origin}["{key}"]'
    return f"{placed} (deposed {instance.deposed})" if instance.deposed else placed
