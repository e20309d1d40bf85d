"""What exists is taken over, as the section `import` says: found by its id, then planned as it stands.

An entry whose instance has a row already says nothing, so it may stay for ever.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field

from dirigent.model.ids import address_of, canonical
from dirigent.model.problem import Problem, Refusal
from dirigent.model.record import dataclass
from dirigent.model.resource import ResourceRow
from dirigent.model.source import Span
from dirigent.model.stack import Adoption, Stack
from dirigent.model.values import Template, Value
from dirigent.planning.expand import Instance
from dirigent.planning.request import Adopt, Answers, Asking, Wish
from dirigent.planning.values.evaluate import Rendered, Scope, render
from dirigent.planning.values.setups import members_of
from dirigent.ports import Language
from dirigent.ports.resources import Reading


@dataclass(frozen=True, slots=True)
class Wanted:
    """One instance that is to be taken over: its id, and where that stands."""

    identity: str
    span: Span | None = None


@dataclass(frozen=True, slots=True)
class Candidate:
    """An instance that has no row: what it shall be, and what it would need."""

    instance: Instance
    value: Value
    needs: tuple[str, ...] = ()
    setup: Rendered | None = None


@dataclass(frozen=True, slots=True)
class Adopted:
    """What was found, by address: the row as if it had been applied so, and the id."""

    rows: Mapping[str, ResourceRow] = field(default_factory=dict)
    identities: Mapping[str, str] = field(default_factory=dict)


def wanted_of(stack: Stack, scope: Scope, language: Language) -> Asking[dict[str, Wanted]]:
    """Return what is to be taken over, by address; `scope` shows no resource yet.

    Raises:
        Refusal: with every id or `each` that is of no use, and every instance that is named twice (E2019).
    """
    if not stack.imports:
        return {}
    repeated = yield from render([(entry.each, {}) for entry in stack.imports], scope, language)
    spread: list[tuple[Adoption, str, dict[str, Value]]] = []
    problems: list[Problem] = []
    for entry, each in zip(stack.imports, repeated, strict=True):
        if entry.each is None:
            spread.append((entry, canonical(entry.to), {}))
        elif isinstance(each.value, list | dict):
            spread += [(entry, *one) for one in _spread(stack, entry, each.value)]
        else:
            problems.append(_useless(entry, f"`each` is `{each.value}`, and not a list or an object"))
    templates: list[tuple[Template, Mapping[str, Value]]] = [(entry.id, own) for entry, _, own in spread]
    identities = yield from render(templates, scope, language)
    found: dict[str, Wanted] = {}
    for (entry, address, _), identity in zip(spread, identities, strict=True):
        if not isinstance(identity.value, str) or not identity.value:
            problems.append(_useless(entry, f"the id of `{address}` is no text"))
        elif address in found:
            problems.append(_useless(entry, f"`{address}` is named twice"))
        else:
            found[address] = Wanted(identity.value, entry.span)
    if problems:
        raise Refusal(problems)
    return found


def adopt(candidates: Sequence[Candidate], wanted: Mapping[str, Wanted]) -> Asking[Adopted]:
    """Return what was found of those that are to be taken over.

    Raises:
        Refusal: with what a provider answers, and every id under which there is nothing (E2020).
    """
    chosen = [each for each in candidates if each.instance.address in wanted]
    if not chosen:
        return Adopted()
    answers: Answers = yield Adopt(
        tuple(_wish(each, wanted[each.instance.address].identity) for each in chosen)
    )
    rows: dict[str, ResourceRow] = {}
    problems: list[Problem] = []
    for each, answer in zip(chosen, answers, strict=True):
        address = each.instance.address
        want = wanted[address]
        if isinstance(answer, Refusal):
            problems += [
                Problem(p.code, p.message, p.at or want.span, p.label, p.others, p.help)
                for p in answer.problems
            ]
        elif not isinstance(answer, Reading) or answer.attributes is None:
            problems.append(nothing_there(address, each.instance.resource.type, want))
        else:
            rows[address] = _row(each, answer, answer.attributes)
    if problems:
        raise Refusal(problems)
    return Adopted(rows, {address: wanted[address].identity for address in rows})


def refuse_astray(wanted: Mapping[str, Wanted], there: Iterable[str]) -> None:
    """Raise `Refusal` (E2019) with every instance that is to be taken over and is not declared."""
    known = dict.fromkeys(there)
    problems = [
        Problem(
            "E2019",
            f"`{address}` is to be imported, and the stack declares no such instance",
            at=want.span,
            help=("declare it, or take the entry out of `import`",),
        )
        for address, want in wanted.items()
        if address not in known
    ]
    if problems:
        raise Refusal(problems)


def nothing_there(address: str, type_name: str, want: Wanted) -> Problem:
    """Return the problem of an id under which there is nothing."""
    return Problem(
        "E2020",
        f"there is no `{type_name}` with the id `{want.identity}` to be imported as `{address}`",
        at=want.span,
        help=("correct the id, or take the entry out of `import` to have it made",),
    )


def _spread(
    stack: Stack, entry: Adoption, items: list[Value] | dict[str, Value]
) -> list[tuple[str, dict[str, Value]]]:
    """Return the instances that one entry names, each with its `$each`."""
    counted = stack.resources[entry.to].count is not None if entry.to in stack.resources else False
    named = list(items.items()) if isinstance(items, dict) else [(str(item), item) for item in items]
    keys = [(index if counted and isinstance(items, list) else key) for index, (key, _) in enumerate(named)]
    return [
        (
            address_of(entry.to, int(key) if counted and str(key).isdecimal() else key),
            {"each": {"key": key, "value": value}},
        )
        for key, (_, value) in zip(keys, named, strict=True)
    ]


def _wish(each: Candidate, identity: str) -> Wish:
    resource = each.instance.resource
    setup = members_of(each.setup.value) if each.setup else {}
    return Wish(
        *(each.instance.address, resource.type, None, members_of(each.value), resource.provider, setup),
        identity=identity,
    )


def _row(each: Candidate, found: Reading, attributes: dict[str, Value]) -> ResourceRow:
    """Return the row as if what was found had been applied."""
    resource = each.instance.resource
    return ResourceRow(
        address=each.instance.address,
        name=resource.name,
        type=resource.type,
        config=found.config or members_of(each.value),
        attributes=attributes,
        key=each.instance.key,
        needs=each.needs,
        private=found.private,
        protect=resource.lifecycle.protect is True,
        provider=resource.provider,
    )


def _useless(entry: Adoption, why: str) -> Problem:
    return Problem(
        "E2019",
        f"`{entry.to}` cannot be imported: {why}",
        at=entry.span,
        help=("give every instance one id, as a text",),
    )
