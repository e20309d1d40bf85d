"""The section `providers`: where plug-ins come from that know how to manage types of resources.

The name of an entry is the prefix of its types. Another configuration of the same plug-in is an entry with
`of`, and a resource asks for it with `provider: NAME`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from dirigent.lang.shape import nearest, shortened
from dirigent.lang.stack.expressions import template
from dirigent.lang.stack.mentions import Use
from dirigent.lang.stack.outside.versions import REMEDY, NoVersion, read_constraints
from dirigent.lang.stack.reading import Reading, keys_of, mapping_of, text_of
from dirigent.lang.tree import Leaf, Member, Members
from dirigent.model.resource import CALL, OPEN
from dirigent.model.source import Span
from dirigent.model.stack import ProviderSetup
from dirigent.model.values import Template

# Where a source without a host is looked for.
REGISTRY: Final = "registry.opentofu.org"
NAMESPACE: Final = "hashicorp"
PARALLEL: Final = 10
_PART: Final = re.compile(r"[a-z0-9](?:[a-z0-9_-]*[a-z0-9])?")
_HOST: Final = re.compile(r"[a-z0-9-]+(?:\.[a-z0-9-]+)+(?::[0-9]{1,5})?|localhost(?::[0-9]{1,5})?")
_MOST_PARTS: Final = 3
# A source that begins so is the path of a program, from the folder of the stack: for who writes a provider.
LOCAL: Final = ("./", "../", "/")


def read_providers(reading: Reading, found: Members | None) -> dict[str, ProviderSetup]:
    """Return the providers. Reports a source that is none (E1421), and `of` an entry that is none (E1422)."""
    first: dict[str, ProviderSetup] = {}
    entries = [(member, mapping_of(member.node)) for member in found or ()]
    for member, entry in entries:
        if entry is not None and entry.get("of") is None:
            first[member.key] = _first(reading, member, entry)
    return {
        member.key: first[member.key] if member.key in first else _further(reading, member, entry, first)
        for member, entry in entries
        if entry is not None
    }


def declared_in(found: Members | None) -> dict[str, ProviderSetup]:
    """Return the providers, before anything else is read and without their configurations.

    What is wrong with their sources, versions or names is left out, and reported by `read_providers`.
    """
    entries = {member.key: mapping_of(member.node) for member in found or ()}
    places = keys_of(found)
    first: dict[str, ProviderSetup] = {}
    for name, entry in entries.items():
        source, version = _sourced(name, entry) if entry is not None else ("", "")
        if source:
            first[name] = ProviderSetup(name, source, version, span=places[name])
    further: dict[str, ProviderSetup] = {}
    for name, entry in entries.items():
        of = first.get(text_of(entry.get("of")) or "") if entry is not None else None
        if of is not None and name not in first:
            further[name] = ProviderSetup(name, of.source, of.version, of=of.name, span=places[name])
    return {name: each for name in entries if (each := first.get(name) or further.get(name)) is not None}


def _sourced(name: str, entry: Members) -> tuple[str, str]:
    """Return the source of a first entry, empty if it is wrong, and what it demands of the version."""
    written, version = text_of(entry.get("source")) or name, text_of(entry.get("version")) or ""
    try:
        read_constraints(version)
    except NoVersion:
        return "", ""
    source = written if written.startswith(LOCAL) else full_source(written)
    return ("" if "of" in entry.members else source or ""), version


def _first(reading: Reading, member: Member, entry: Members) -> ProviderSetup:
    written = text_of(entry.get("source")) or member.key
    source = written if written.startswith(LOCAL) else full_source(written)
    place = entry.members.get("source")
    if source is None:
        reading.complain(
            "E1421",
            f"`{shortened(written)}` is not the source of a provider",
            place.node.span if place else member.key_span,
            "no source",
            "write `NAMESPACE/TYPE`, as `hashicorp/local`, or `HOST/NAMESPACE/TYPE`",
        )
    version = _version(reading, entry, local=written.startswith(LOCAL))
    return _setup(reading, member, entry, (source or "", version, ""))


def _version(reading: Reading, entry: Members, *, local: bool) -> str:
    """Return what is demanded of the version. Reports what is no demand, or one on a program (E3020)."""
    member = entry.members.get("version")
    text = text_of(entry.get("version"))
    if member is None or text is None:
        return ""
    span = member.node.span
    if local:
        message = "a program has no version, so `version` cannot stand beside its path"
        reading.complain("E3020", message, span, "not looked at", "leave `version` out")
        return ""
    try:
        read_constraints(text)
    except NoVersion as error:
        reading.complain("E3020", str(error), span, "no constraint", REMEDY)
    return text


def _further(
    reading: Reading, member: Member, entry: Members, first: Mapping[str, ProviderSetup]
) -> ProviderSetup:
    of = text_of(entry.get("of")) or ""
    if of not in first:
        meant = nearest(of, list(first))
        place = entry.members["of"]
        reading.complain(
            "E1422",
            f"`{member.key}` is to be another configuration of `{shortened(of)}`, which is no provider here",
            place.node.span,
            f"did you mean `{meant}`?" if meant else "not declared",
            f"change it to `{meant}`" if meant else "declare it with its `source`, and without `of`",
        )
    known = first.get(of)
    return _setup(reading, member, entry, (known.source if known else "", known.version if known else "", of))


def _setup(reading: Reading, member: Member, entry: Members, named: tuple[str, str, str]) -> ProviderSetup:
    source, version, of = named
    use = Use(f"the provider `{member.key}`")
    inside = mapping_of(entry.get("with"))
    config: dict[str, Template] = {each.key: template(reading, each.node, use) for each in inside or ()}
    parallel = entry.get("parallel")
    spans: dict[str, Span] = {each.key: each.key_span for each in inside or ()}
    return ProviderSetup(
        name=member.key,
        source=source,
        version=version,
        config=config,
        parallel=parallel.value
        if isinstance(parallel, Leaf) and isinstance(parallel.value, int)
        else PARALLEL,
        of=of,
        span=member.key_span,
        spans=spans,
    )


def full_source(written: str) -> str | None:
    """Return HOST/NAMESPACE/TYPE of what was written of it, or None when it is no source."""
    parts = written.lower().split("/")
    if len(parts) > _MOST_PARTS or not all(_PART.fullmatch(part) for part in parts[-2:]):
        return None
    if len(parts) == 1:
        return f"{REGISTRY}/{NAMESPACE}/{parts[0]}"
    if len(parts) == _MOST_PARTS:
        return "/".join(parts) if _HOST.fullmatch(parts[0]) else None
    return f"{REGISTRY}/{parts[0]}/{parts[1]}"


def provider_of_function(name: str) -> str:
    """Return the provider that the name of a function begins with: `time` of `time::rfc3339_parse`."""
    return name.removeprefix("provider::").partition("::")[0]


def provider_of(type_name: str, named: str | None, declared: Mapping[str, Span]) -> str:
    """Return the name of the provider of a type: the one that is named, else the one whose prefix it has."""
    if named is not None:
        return named
    if type_name.startswith(CALL):
        prefix = provider_of_function(type_name.removeprefix(CALL))
    else:
        prefix = type_name.removeprefix(OPEN).partition("_")[0]
    return prefix if prefix in declared else ""
