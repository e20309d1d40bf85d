"""Rows become a state, with everything in clear: whoever manages the objects next must know it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import field
from typing import Final, TypeAlias

from dirigent.model.ids import DEPOSED, digest_of
from dirigent.model.record import dataclass
from dirigent.model.resource import ResourceRow
from dirigent.model.values import Value
from dirigent.providers.tofu.finding.naming import is_local
from dirigent.providers.tofu.schema.shape import Block, Schema
from dirigent.providers.tofu.state4.document import (
    DATA,
    MANAGED,
    Document,
    Entry,
    Instance,
    Key,
    declared_path,
    origin_of,
)
from dirigent.providers.tofu.state4.hiding import marked
from dirigent.providers.tofu.state4.kept import Kept, kept_of
from dirigent.providers.tofu.state4.placing import REGISTRIES
from dirigent.providers.tofu.state4.typed import write_attributes

SchemaOfRow: TypeAlias = Callable[[ResourceRow], Schema | None]
Reveal: TypeAlias = Callable[[Value], Value]

_KEY_CHARACTERS: Final = 8


@dataclass(frozen=True, slots=True)
class Giving:
    """How rows are written. `names` says what Terraform calls our resources, `aliases` our providers.

    `schema_of` gives None where the provider cannot be asked; `registry` is the host written in place of
    that of a public registry, empty for the one that the row has. `sources` are those that are declared, by
    the name of the provider.
    """

    schema_of: SchemaOfRow
    reveal: Reveal
    names: Mapping[str, str] = field(default_factory=dict)
    aliases: Mapping[str, str] = field(default_factory=dict)
    registry: str = ""
    sources: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Given:
    """The state, and how many instances of each type of ours are left out of it."""

    document: Document
    left_out: Mapping[str, int]


def given(rows: Sequence[ResourceRow], how: Giving, onto: Document) -> Given:
    """Return the rows as a state that goes on from another one.

    Its lineage, serial and release are those of `onto`, and so is what only it knows: outputs, what was
    looked up, results of checks. Raises `Refusal` (E3018) when a sealed value cannot be opened.
    """
    # What was only looked up, or opened, is nobody's: Terraform looks for itself.
    rows = [row for row in rows if not row.reads]
    kept = {str(row.address): found for row in rows if (found := kept_of(row)) is not None}
    ours = [row for row in rows if row.address not in kept]
    through = _origins(rows, kept, how)
    entries: dict[tuple[str, str], list[tuple[ResourceRow, Instance]]] = {}
    for row in rows:
        found = kept.get(row.address)
        if found is not None:
            instance = _instance(row, found, through, how)
            entries.setdefault((_origin(row, how), _provider(row, found, how)), []).append((row, instance))
    made = [_entry(origin, provider, group) for (origin, provider), group in entries.items()]
    looked_up = [entry for entry in onto.entries if entry.mode == DATA]
    document = Document(
        lineage=onto.lineage,
        serial=onto.serial,
        entries=tuple(sorted([*looked_up, *made], key=lambda each: (each.module, each.mode, each.origin))),
        terraform=onto.terraform,
        outputs=onto.outputs,
        checks=onto.checks,
    )
    return Given(document, dict(sorted(Counter(row.type for row in ours).items())))


def _origin(row: ResourceRow, how: Giving) -> str:
    """Return what Terraform calls a resource of ours; another type than it had is another resource to it."""
    known = how.names.get(row.name, "")
    same = f".{known}".rpartition(".")[0].endswith(f".{row.type}")
    return known if same else origin_of(row.name, row.type)


def _provider(row: ResourceRow, kept: Kept, how: Giving) -> str:
    # Who was a program without an address when the object was changed may have one by now.
    source = how.sources.get(row.provider, kept.source) if is_local(kept.source) else kept.source
    host, _, rest = source.partition("/")
    shown = f"{how.registry}/{rest}" if how.registry and host in REGISTRIES else source
    alias = how.aliases.get(row.provider, "")
    return f"{shown}#{alias}"


def _entry(origin: str, provider: str, group: Iterable[tuple[ResourceRow, Instance]]) -> Entry:
    instances = [instance for _, instance in group]
    head, _, name = origin.rpartition(".")
    module, _, kind = head.rpartition(".")
    source, _, alias = provider.partition("#")
    return Entry(MANAGED, kind, name, source, alias, module, tuple(sorted(instances, key=_order)))


def _order(instance: Instance) -> tuple[str, int, str, str]:
    key: Key = instance.key
    number, text = (key, "") if isinstance(key, int) else (0, key or "")
    return type(key).__name__, number, text, instance.deposed


def _instance(row: ResourceRow, kept: Kept, through: Mapping[str, tuple[str, ...]], how: Giving) -> Instance:
    schema = how.schema_of(row)
    revealed = how.reveal(row.attributes)
    attributes = revealed if isinstance(revealed, dict) else {}
    block = schema.block if schema is not None and schema.version == kept.version else None
    private = how.reveal(kept.private)
    return Instance(
        attributes=attributes if block is None else write_attributes(block, attributes),
        version=kept.version,
        key=row.key,
        tainted=row.tainted,
        deposed=_deposed(row, kept),
        sensitive=tuple(marked(row.config, block or Block())) if kept.sensitive is None else kept.sensitive,
        private=private if isinstance(private, str) else "",
        dependencies=tuple(sorted({each for need in row.needs for each in through.get(need, ())})),
        create_first=row.create_first,
        identity=kept.identity,
        identity_version=kept.identity_version,
    )


def _deposed(row: ResourceRow, kept: Kept) -> str:
    if DEPOSED not in row.address:
        return ""
    return kept.deposed or digest_of(row.address.encode())[:_KEY_CHARACTERS]


def _origins(
    rows: Sequence[ResourceRow], kept: Mapping[str, Kept], how: Giving
) -> dict[str, tuple[str, ...]]:
    """Return what of Terraform's stands at each address, or beyond it where ours stands between."""
    by_address = {str(row.address): row for row in rows}
    found: dict[str, tuple[str, ...]] = {}
    for row in rows:
        waiting, seen = [str(row.address)], {str(row.address): None}
        origins: dict[str, None] = {}
        while waiting:
            address = waiting.pop()
            here = by_address.get(address)
            if here is None:
                continue
            if address in kept:
                origins[declared_path(_origin(here, how))] = None
                continue
            fresh = [need for need in here.needs if need not in seen]
            seen |= dict.fromkeys(fresh)
            waiting += fresh
        found[str(row.address)] = tuple(origins)
    return found
