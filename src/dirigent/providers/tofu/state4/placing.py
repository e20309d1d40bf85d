"""Which of our resources each entry of a state becomes, and which of our providers manages it.

A name counts where the stack declares it with the same type: the name itself, with `-` for `_`, or behind
its type (`null_resource-web`); whoever wants another one says so. Nothing is taken by likeness.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from dirigent.model.problem import Problem, Refusal, refuse
from dirigent.model.record import dataclass
from dirigent.model.resource import Resource
from dirigent.model.stack import ProviderSetup
from dirigent.providers.tofu.state4.document import Entry, declared_path, path_of

REGISTRIES: Final = ("registry.opentofu.org", "registry.terraform.io")
_NOTHING: Final = "nothing was imported"


@dataclass(frozen=True, slots=True)
class Declared:
    """What the stack declares: resources by their paths (`net/web`), and providers by their names.

    `names` maps what Terraform calls a resource to what we do (`--as`). With `undeclared`, what the stack
    does not declare is placed too, under a name of its own.
    """

    resources: Mapping[str, Resource]
    providers: Mapping[str, ProviderSetup]
    names: Mapping[str, str]
    undeclared: bool = False

    def at(self, name: str) -> Resource | None:
        """Return the resource that a name means; in a module that is repeated, what it declares once."""
        return self.resources.get(declared_path(name))


@dataclass(frozen=True, slots=True)
class Placed:
    """An entry, our name for it, and our provider. `resource` is None where the stack declares none."""

    entry: Entry
    name: str
    provider: ProviderSetup
    resource: Resource | None = None


def placed(entries: Sequence[Entry], declared: Declared) -> tuple[Placed, ...]:
    """Return where every entry goes.

    Raises:
        Refusal: with every problem: E3055 a provider that is not declared, E3056 a resource that is
            not, E3057 a module that is none here, E3059 a name that two want or that is none.
    """
    problems = [*_misnamed(entries, declared)]
    shared = Counter((entry.module, entry.name) for entry in entries)
    taken: dict[str, str] = {}
    found: list[Placed] = []
    for entry in entries:
        try:
            place = _place(entry, declared, alone=shared[entry.module, entry.name] == 1)
        except Refusal as refusal:
            problems += refusal.problems
            continue
        earlier = taken.setdefault(place.name, entry.origin)
        if earlier != entry.origin:
            problems.append(_shared(place.name, earlier, entry.origin))
        found.append(place)
    if problems:
        raise Refusal(problems)
    return tuple(found)


def split_names(given: Sequence[str]) -> dict[str, str]:
    """Return the names given as `TYPE.NAME=OURS`. Raises `Refusal` (E3059)."""
    names: dict[str, str] = {}
    for each in given:
        origin, equals, name = each.rpartition("=")
        if not equals or "." not in origin or not name or origin in names:
            raise refuse(
                "E3059",
                f"`{each}` does not say which resource gets which name",
                "write `--as TYPE.NAME=OURS`, each TYPE.NAME once; " + _NOTHING,
            )
        names[origin] = name
    return names


def same_source(one: str, other: str) -> bool:
    """Return whether two sources are of one provider: the two public registries serve the same ones."""
    return neutral(one) == neutral(other)


def neutral(source: str) -> str:
    """Return a source without the difference between the two public registries."""
    host, _, rest = source.lower().partition("/")
    return f"{REGISTRIES[0]}/{rest}" if host in REGISTRIES else f"{host}/{rest}"


def _place(entry: Entry, declared: Declared, *, alone: bool) -> Placed:
    name = _name(entry, declared, alone=alone)
    resource = declared.at(name)
    setup = declared.providers.get(resource.provider) if resource is not None else None
    if setup is not None and not same_source(setup.source, entry.source):
        raise _foreign(entry, setup)
    return Placed(entry, name, setup or _provider(entry, declared.providers), resource)


def _name(entry: Entry, declared: Declared, *, alone: bool) -> str:
    """Return our name; `alone` says that no entry of another type is called the same."""
    given = declared.names.get(entry.origin)
    if given is not None:
        resource = declared.at(given)
        if resource is not None and resource.type != entry.type:
            raise refuse(
                "E3059",
                f"`{entry.origin}` is to become `{given}`, which the stack declares as `{resource.type}`",
                f"name a resource of the type `{entry.type}`; {_NOTHING}",
            )
        if resource is None and not declared.undeclared:
            raise _undeclared(entry, given)
        return given
    candidates = [*_candidates(entry)]
    for name in candidates:
        resource = declared.at(name)
        if resource is not None and resource.type == entry.type:
            return name
    if entry.module and not declared.undeclared:
        raise refuse(
            "E3057",
            f"`{entry.origin}` belongs to a module that the stack does not have",
            f"say what it is here: `--as '{entry.origin}=NAME'`, with a resource of the type `{entry.type}`",
            _NOTHING,
        )
    if not declared.undeclared:
        raise _undeclared(entry, entry.name)
    plain = alone and declared.at(candidates[0]) is None
    return candidates[0] if plain else candidates[-1]


def _candidates(entry: Entry) -> Iterator[str]:
    """Yield the names that an entry may have here, the likeliest first."""
    prefix = path_of(entry.module)
    for name in (entry.name, f"{entry.type}-{entry.name}"):
        yield f"{prefix}{name}"
        if "_" in entry.name:
            yield f"{prefix}{name.removesuffix(entry.name)}{entry.name.replace('_', '-')}"


def _provider(entry: Entry, providers: Mapping[str, ProviderSetup]) -> ProviderSetup:
    """Return the configuration that an entry means: that of its alias, or the first one of its source."""
    known = [each for each in providers.values() if same_source(each.source, entry.source)]
    for each in known:
        if each.name == entry.alias if entry.alias else not each.of:
            return each
    kind = entry.source.rpartition("/")[2]
    if entry.alias and known:
        first = known[0].of or known[0].name
        raise refuse(
            "E3055",
            f"`{entry.origin}` is managed by the configuration `{entry.alias}` of `{entry.source}`, "
            "which the stack does not have",
            f"declare it under `providers`: `{entry.alias}: {{of: {first}}}`; {_NOTHING}",
        )
    raise refuse(
        "E3055",
        f"`{entry.origin}` is managed by the provider `{entry.source}`, which the stack does not declare",
        f"declare it under `providers`: `{kind}: {{source: {entry.source.partition('/')[2]}}}`; {_NOTHING}",
    )


def _foreign(entry: Entry, setup: ProviderSetup) -> Refusal:
    return refuse(
        "E3055",
        f"`{entry.origin}` is managed by the provider `{entry.source}`, "
        f"and the stack has `{setup.name}` from `{setup.source}` for it",
        f"give `{setup.name}` the source `{entry.source}`; {_NOTHING}",
    )


def _undeclared(entry: Entry, name: str) -> Refusal:
    return refuse(
        "E3056",
        f"the stack declares no resource `{name}` of the type `{entry.type}` for `{entry.origin}`",
        f"declare it, or say which resource it is: `--as {entry.origin}=NAME`",
        "or add `--undeclared`: then it is taken all the same, and the next plan deletes it",
        _NOTHING,
    )


def _misnamed(entries: Sequence[Entry], declared: Declared) -> Iterator[Problem]:
    """Yield a problem for every name that was given to what is not there."""
    known = {entry.origin for entry in entries}
    for origin, name in declared.names.items():
        if origin not in known:
            yield Problem(
                "E3059",
                f"the state has no resource `{origin}` that could become `{name}`",
                help=("look into it with `terraform state list`", _NOTHING),
            )


def _shared(name: str, one: str, other: str) -> Problem:
    return Problem(
        "E3059",
        f"`{one}` and `{other}` would both become `{name}`",
        help=(f"give one of them another name: `--as {other}=NAME`", _NOTHING),
    )
