"""The life of one object: look at it, say what would become of it, carry that out.

Each step holds the provider to its word: a plan may not contradict the configuration, a plan made
again may only fill in what was unknown, and what comes of it must be what was planned.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Final

from dirigent.model.record import dataclass
from dirigent.model.values import Unknown, Value
from dirigent.providers.tofu.lifecycle.checking import check_kept, check_plan
from dirigent.providers.tofu.lifecycle.proposing import proposed, same
from dirigent.providers.tofu.lifecycle.session import Applied, Change, Planned, Session, Standing
from dirigent.providers.tofu.values.paths import Misfit, Path, shown
from dirigent.providers.tofu.wire.diagnostics import Diagnostic

_SHOWN: Final = 4
_BROKEN_WORD: Final = "the provider did other than it planned"


class Unreliable(Exception):
    """A provider broke its word; the message says where. It is a fault of the provider."""


@dataclass(frozen=True, slots=True)
class Intention:
    """What would become of an object. `replaces` are the paths that change and force a new one."""

    change: Change
    replaces: tuple[Path, ...] = ()
    legacy: bool = False
    said: tuple[Diagnostic, ...] = ()

    @property
    def nothing(self) -> bool:
        """Return whether the object stays as it is."""
        return same(self.change.prior, self.change.planned)


async def look(session: Session, name: str, version: int, standing: Standing) -> Standing | None:
    """Return an object as it is now, from what was kept of it under a version of its schema; None: gone."""
    state = await session.upgrade(name, version, standing.state)
    return None if state is None else await session.read(name, replace(standing, state=state))


async def intend(
    session: Session, name: str, prior: Standing | None, config: Mapping[str, Value]
) -> Intention:
    """Say what would become of an object under a configuration.

    What must be made anew is planned twice: only without the old one does the provider say what the
    new one will be. Then `change.prior` is None, and `replaces` says why.

    Raises:
        Refused: when the provider finds the configuration wrong.
        Unreliable: when its plan contradicts the configuration.
    """
    said = await session.validate(name, config)
    first = await _planned(session, name, prior, config)
    replaces = _forcing(first.replaces, prior.state if prior else None, first.state)
    if prior is None or not replaces:
        past, identity = (prior.state, first.identity or prior.identity) if prior else (None, first.identity)
        change = Change(name, past, first.state, dict(config), first.private, identity)
        return Intention(change, (), first.legacy, said + first.said)
    again = await _planned(session, name, Standing({}, first.private), config, anew=True)
    change = Change(name, None, again.state, dict(config), again.private, again.identity)
    return Intention(change, replaces, again.legacy, said + again.said)


async def intend_end(session: Session, name: str, prior: Standing) -> Intention:
    """Say what the deletion of an object is; a provider is asked only if it wants to be. Raises `Refused`."""
    change = Change(name, prior.state, None, None, prior.private, prior.identity)
    if not session.schemas.plans_destruction:
        return Intention(change)
    answer = await session.plan(change, None)
    return Intention(replace(change, private=answer.private), (), answer.legacy, answer.said)


async def carry_out(
    session: Session, intention: Intention, approved: Mapping[str, Value] | None = None
) -> Applied:
    """Carry an intention out; `approved` is the state that was shown when it was agreed to.

    Raises `Unreliable`, before anything is done, when the intention is not what was approved. What
    comes of it is kept in any case: where it is not what was planned, an error stands beside it.
    """
    if approved is not None and not intention.legacy:
        refuse_odd(
            f"plans `{intention.change.type}` otherwise than it was approved",
            check_kept(dict(approved), intention.change.planned),
        )
    found = await session.apply(intention.change)
    if found.standing is None or any(each.severe for each in found.said):
        return found
    odd = [] if found.legacy else list(check_kept(intention.change.planned, found.standing.state))
    odd += [Misfit(path, "is still unknown") for path in _unknown(found.standing.state)]
    kept = replace(found.standing, state=_without_unknown(found.standing.state))
    more = tuple(
        Diagnostic(severe=True, summary=_BROKEN_WORD, detail=each.message, path=each.path) for each in odd
    )
    return replace(found, standing=kept, said=found.said + more)


def refuse_odd(what: str, odd: Iterable[Misfit]) -> None:
    """Raise `Unreliable` if there is anything odd."""
    found = list(odd)
    if found:
        listed = "; ".join(str(each) for each in found[:_SHOWN])
        more = f"; and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
        raise Unreliable(f"the provider {what}: {listed}{more}")


async def _planned(
    session: Session, name: str, prior: Standing | None, config: Mapping[str, Value], *, anew: bool = False
) -> Planned:
    block = session.schema(name).block
    past = None if prior is None or anew else prior.state
    private = prior.private if prior else b""
    identity = None if prior is None or anew else prior.identity
    change = Change(name, past, None, dict(config), private, identity)
    answer = await session.plan(change, proposed(block, past, config))
    if answer.state is None:
        raise Unreliable(f"the provider plans nothing for `{name}`, and something is to stand there")
    if not answer.legacy:
        refuse_odd(f"made a plan for `{name}` that cannot be", check_plan(block, past, config, answer.state))
    return answer


def _forcing(paths: Iterable[Path], prior: Value, planned: Value) -> tuple[Path, ...]:
    """Return the paths whose values really change; a provider may name all that ever force a new object."""
    if prior is None:
        return ()
    changed = [path for path in paths if _differs(_at(prior, path), _at(planned, path))]
    return tuple(sorted(set(changed), key=shown))


def _differs(before: Value, after: Value) -> bool:
    return isinstance(after, Unknown) or not same(before, after)


def _at(value: Value, path: Path) -> Value:
    for part in path:
        match value, part:
            case dict(), str():
                value = value.get(part)
            case list(), int() if part < len(value):
                value = value[part]
            case Unknown(), _:
                return value
            case _:
                return None
    return value


def _unknown(value: Value, path: Path = ()) -> list[Path]:
    match value:
        case Unknown():
            return [path]
        case list():
            return [each for at, item in enumerate(value) for each in _unknown(item, (*path, at))]
        case dict():
            return [each for name, item in value.items() for each in _unknown(item, (*path, name))]
        case _:
            return []


def _without_unknown(state: dict[str, Value]) -> dict[str, Value]:
    return {name: _known(value) for name, value in state.items()}


def _known(value: Value) -> Value:
    match value:
        case Unknown():
            return None
        case list():
            return [_known(each) for each in value]
        case dict():
            return _without_unknown(value)
        case _:
            return value
