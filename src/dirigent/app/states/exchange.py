"""Take the objects of a state, and give ours: with the types of the providers, and the seal of the stack."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Final

from dirigent.app.states.ancestry import Ancestry
from dirigent.app.states.requests import Export, Import, Target, Wanted
from dirigent.model.problem import Problem, Refusal, refuse
from dirigent.model.resource import ResourceRow, keeper_of
from dirigent.model.stack import ProviderSetup, Stack
from dirigent.model.values import Value
from dirigent.planning.rows.adopt import declared_resources
from dirigent.ports.resources import Managing, ProviderFailed
from dirigent.providers.tofu.finding.naming import is_local
from dirigent.providers.tofu.provider.provider import TofuProvider
from dirigent.providers.tofu.provider.words import told
from dirigent.providers.tofu.schema.reading import Schemas
from dirigent.providers.tofu.schema.shape import Schema
from dirigent.providers.tofu.sealing import sealed_leaves
from dirigent.providers.tofu.state4.document import Document
from dirigent.providers.tofu.state4.giving import Given, Giving, given
from dirigent.providers.tofu.state4.kept import kept_of
from dirigent.providers.tofu.state4.placing import REGISTRIES, Declared, same_source, split_names
from dirigent.providers.tofu.state4.reading import read_document
from dirigent.providers.tofu.state4.taking import Taken, taken
from dirigent.providers.tofu.state4.writing import write_document
from dirigent.service.plans import Planner

Providers = Mapping[str, Managing]

_RELEASE: Final = "1.0.0"
_SHOWN: Final = 3


async def import_from(content: bytes, stack: Stack, planner: Planner, wanted: Wanted) -> Import:
    """Return the rows of a state.

    Raises:
        Refusal: with everything that is wrong with it (E3050-E3063), and when a provider cannot be asked.
    """
    document = read_document(content)
    providers, resources = planner.providers, declared_resources(stack, planner.language)
    declared = Declared(resources, stack.providers, split_names(wanted.names), wanted.undeclared)
    sources = {entry.source for entry in document.managed}
    used = [each for each in stack.providers.values() if any(same_source(each.source, s) for s in sources)]
    offered = await _schemas(used, providers)

    def schema_of(setup: ProviderSetup, kind: str) -> Schema | None:
        return offered[setup.name].resources.get(kind)

    found: Taken = taken(document, declared, schema_of, _hide(used, providers))
    hosts = [host for host in (source.partition("/")[0] for source in sorted(sources)) if host in REGISTRIES]
    return Import(
        found.rows,
        found.data,
        found.outputs,
        Ancestry(
            document.lineage, document.serial, found.names, hosts[0] if hosts else "", document.terraform
        ),
    )


async def export_to(
    rows: Sequence[ResourceRow], stack: Stack, providers: Providers, known: Ancestry | None, target: Target
) -> Export:
    """Return the rows as a state that goes on with what there was.

    Raises:
        Refusal: E3048 for a provider without an address, E3055 for one that is not declared, E3059 for names,
            E3062 when the file holds what would be lost, and when a provider cannot be asked.
    """
    before = _before(target)
    onto = _onto(known, before, replacing=target.replacing)
    ours = {name: theirs for theirs, name in split_names(target.names).items()}
    names = {**(known.names if known else {}), **ours}
    registry = target.registry or (known.registry if known else "")
    kept = [row for row in rows if not row.reads and kept_of(row) is not None]
    used = _addressed(_used(kept, stack))
    offered = await _schemas(used, providers)

    def schema_of(row: ResourceRow) -> Schema | None:
        return offered[row.provider].resources.get(row.type)

    aliases = {setup.name: setup.name for setup in used if setup.of}
    sources = {setup.name: setup.source for setup in used}
    how = Giving(schema_of, _reveal(used, providers), names, aliases, registry, sources)
    found = given(rows, how, onto)
    if before is not None and not target.replacing:
        _refuse_loss(before, found)
    text, document = _written(found, before)
    ancestry = Ancestry(document.lineage, document.serial, names, registry, document.terraform)
    return Export(text, len(kept), found.left_out, ancestry)


def _before(target: Target) -> Document | None:
    """Return the state that the file holds. Raises `Refusal` (E3062) when it holds something else."""
    if target.before is None:
        return None
    try:
        return read_document(target.before)
    except Refusal as refusal:
        if target.replacing:
            return None
        why = refusal.problems[0].message
        raise refuse(
            "E3062",
            f"the file is there already, and holds no state that could go on: {why}",
            "name another file, or add `--replace` if it may be overwritten; nothing was written",
        ) from None


def _written(found: Given, before: Document | None) -> tuple[str, Document]:
    """Return the text of a state, empty when the file holds the same but for its serial."""
    if before is not None and replace(found.document, serial=before.serial) == before:
        return "", before
    return write_document(found.document), found.document


def _onto(known: Ancestry | None, before: Document | None, *, replacing: bool) -> Document:
    """Return what a state goes on with: the lineage that is known, else that of the file, else a new one."""
    if known is not None and before is not None and before.lineage != known.lineage and not replacing:
        raise refuse(
            "E3062",
            f"the file holds a state of the lineage `{before.lineage}`, and the resources here are of "
            f"`{known.lineage}`",
            "name another file, or add `--replace` if it may be overwritten; nothing was written",
        )
    if before is not None and (known is None or before.lineage == known.lineage):
        serial = max(before.serial, known.serial if known else 0) + 1
        return replace(before, serial=serial)
    if known is not None:
        return Document(known.lineage, known.serial + 1, terraform=known.terraform or _RELEASE)
    return Document(str(uuid.uuid4()), 1, terraform=_RELEASE)


def _refuse_loss(before: Document, found: Given) -> None:
    """Raise `Refusal` (E3062) when a state would lose resources of which we know nothing."""
    here = {entry.origin for entry in found.document.managed}
    lost = [entry.origin for entry in before.managed if entry.origin not in here]
    if lost:
        shown = ", ".join(f"`{each}`" for each in lost[:_SHOWN])
        more = f" and {len(lost) - _SHOWN} more" if len(lost) > _SHOWN else ""
        raise refuse(
            "E3062",
            f"the file holds what is not managed here, and would lose it: {shown}{more}",
            "if they were deleted here, add `--replace`; else name another file; nothing was written",
        )


def _used(rows: Iterable[ResourceRow], stack: Stack) -> list[ProviderSetup]:
    """Return the providers of rows. Raises `Refusal` (E3055) with every row whose provider is none here."""
    rows = list(rows)
    problems = [
        Problem(
            "E3055",
            f"`{row.address}` is managed by the provider `{row.provider}`, which the stack does not declare",
            help=("declare it again under `providers`: nobody else knows the types; nothing was written",),
        )
        for row in rows
        if row.provider not in stack.providers
    ]
    if problems:
        raise Refusal(problems)
    return [stack.providers[name] for name in dict.fromkeys(row.provider for row in rows)]


def _addressed(used: list[ProviderSetup]) -> list[ProviderSetup]:
    """Return the providers, if each has an address. Raises `Refusal` (E3048) with every one that has none."""
    problems = [_unaddressed(each) for each in used if is_local(each.source)]
    if problems:
        raise Refusal(problems)
    return used


def _unaddressed(setup: ProviderSetup) -> Problem:
    name = setup.of or setup.name
    variable = "DIRIGENT_PROVIDER_" + name.upper().replace("-", "_")
    return Problem(
        "E3048",
        f"`{setup.source}` is a program without an address, and a state names each provider by one",
        at=setup.span,
        help=(
            f"declare it as `source: example.com/acme/{name}`, and name the program in `{variable}`",
            "nothing was written",
        ),
    )


async def _schemas(used: Sequence[ProviderSetup], providers: Providers) -> dict[str, Schemas]:
    """Return what each provider offers, by its name. Raises `Refusal`."""
    found: dict[str, Schemas] = {}
    for setup in used:
        provider = _provider(setup, providers)
        try:
            with told(setup.name, provider.secrecy):
                found[setup.name] = await (await provider.conversation({})).schemas()
        except ProviderFailed as failure:
            raise refuse(
                "E3060",
                f"the provider `{setup.name}` could not say which types it has: {failure}",
                "see whether `dirigent plan` reaches it; nothing was written",
            ) from None
    return found


def _provider(setup: ProviderSetup, providers: Providers) -> TofuProvider:
    found = providers[keeper_of("", setup.name)]
    if not isinstance(found, TofuProvider):
        raise TypeError(f"`{setup.name}` is no provider of OpenTofu")
    return found


def _hide(used: Sequence[ProviderSetup], providers: Providers) -> Callable[[Value], Value]:
    if not used:
        return lambda value: value
    seal = _provider(used[0], providers).secrecy.seal
    return lambda value: sealed_leaves(value, seal)


def _reveal(used: Sequence[ProviderSetup], providers: Providers) -> Callable[[Value], Value]:
    return _provider(used[0], providers).secrecy.fresh().reveal if used else lambda value: value
