"""An operation on one object, from what was approved to what stands; and what is made of a broken call.

Rule: an object is never made a second time because nobody knows whether the first was. It is looked up
under its identity, or the operation is in doubt.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import partial
from typing import Final

from dirigent.model.record import dataclass
from dirigent.model.values import Value
from dirigent.ports.resources import Operation, ProviderDoubt, ProviderFailed
from dirigent.providers.tofu.lifecycle.cycle import Intention, carry_out, intend, intend_end, look
from dirigent.providers.tofu.lifecycle.session import Applied, Change, Refused, Session, Standing
from dirigent.providers.tofu.process.connection import CallBroken
from dirigent.providers.tofu.provider.conversation import Conversation
from dirigent.providers.tofu.provider.rows import Binding, binding_of, kept_from, kept_of, standing_of
from dirigent.providers.tofu.provider.searching import searched
from dirigent.providers.tofu.provider.words import broken, failure
from dirigent.providers.tofu.schema.identity import IdentitySchema
from dirigent.providers.tofu.schema.shape import Schema, implied

_PLACE: Final = re.compile(r"\{([^{}]+)\}")
_AGAIN: Final = "make a new plan: `dirigent plan`"

Left = tuple[dict[str, Value], Value]
"""What stands after an operation: the attributes and the private value of its row."""


@dataclass(frozen=True, slots=True)
class Changing:
    """One operation, with all that it needs. Its configuration is in clear."""

    talk: Conversation
    operation: Operation
    schema: Schema
    given: dict[str, Value]

    @property
    def _type(self) -> str:
        return self.operation.type

    async def create(self) -> Left:
        """Make the object, unless it turns out to be there."""
        if self.operation.order.doubtful:
            found = await self.recovered("the engine ended while it was made")
            if found is not None:
                return await self._taken_over(found)
        bound = _bound(self)
        intention = await _promised(self, bound, None)
        if intention is None:
            intention = await self.talk.ask(lambda session: intend(session, self._type, None, self.given))
        try:
            return self._left(await self._carried_out(intention, bound))
        except CallBroken as failed:
            why = self.talk.secrecy.withheld(str(failed))
        found = await self.recovered(why)
        if found is None:
            raise broken("E3015", f"{why}; nothing was made")
        return await self._taken_over(found)

    async def update(self) -> Left:
        """Change the object."""
        bound = _bound(self)
        prior = await self._prior(bound)
        intention = await _promised(self, bound, prior)
        if intention is None:
            intention = await self._meant(prior)
        if intention.nothing:
            return self._seen(prior)
        try:
            return self._left(await self._carried_out(intention, bound))
        except CallBroken as failed:
            why = self.talk.secrecy.withheld(str(failed))
        stands = await self._standing()
        if (await self._meant(stands)).nothing:
            return self._seen(stands)
        raise broken("E3015", f"{why}; what stands now is not what was planned", self._seen(stands))

    async def delete(self) -> None:
        """Delete the object, unless it is gone."""
        prior = await self._last_seen() if self.operation.order.doubtful else self._kept()
        if prior is None:
            return
        intention = await self.talk.ask(lambda session: intend_end(session, self._type, prior))
        try:
            applied = await self.talk.act(lambda session: carry_out(session, intention))
        except CallBroken as failed:
            why = self.talk.secrecy.withheld(str(failed))
            if await self._last_seen() is None:
                return
            raise broken("E3015", f"{why}; it stands still") from None
        left = (None, None) if applied.standing is None else self._seen(applied.standing)
        if any(each.severe for each in applied.said):
            raise ProviderFailed(failure(applied.said, self.talk.secrecy), *left)
        if applied.standing is not None:
            raise broken("E3014", "the provider says that it stands still", left)

    async def standing(self) -> Left | None:
        """Return what stands of the object, whatever was begun; None for nothing. Raises `ProviderDoubt`."""
        if self.operation.action == "create":
            found = await self.recovered("it was stopped while it was made")
        else:
            found = await self._last_seen()
        return None if found is None else self._seen(found)

    async def recovered(self, why: str) -> Standing | None:
        """Return the object that a creation may have made, None when it made none.

        Raises:
            ProviderDoubt: when nobody can say.
        """
        identity = identified(self.operation.identity, self.given) or await _own_identity(self)
        if not identity:
            search = await searched(self.talk, self._type, self.given)
            if search.absent:
                return None
            identity = search.identity
            if not identity:
                raise _doubt(self, why, search.why, search.shown(self.talk.secrecy))
        try:
            return await self.talk.ask(lambda session: find_under(session, self._type, identity))
        except Refused as refused:
            said = failure(refused.said, self.talk.secrecy)
            under = self.talk.secrecy.withheld(_shown(identity))
            words = f"It could not be looked up under `{under}`: {said}"
            raise _doubt(self, why, words, {"identity": under}) from None

    async def _taken_over(self, found: Standing) -> Left:
        """Return what was made before nobody heard of it, brought to what was wanted."""
        intention = await self.talk.ask(lambda session: intend(session, self._type, found, self.given))
        if intention.replaces:
            raise ProviderFailed("what was made is not what was wanted; it is made anew", *self._seen(found))
        if intention.nothing:
            return self._seen(found)
        return self._left(await self.talk.act(lambda session: carry_out(session, intention)))

    async def _carried_out(self, intention: Intention, bound: Binding | None) -> Applied:
        """Carry out what was planned, if it is what was approved."""
        approved = bound.planned if bound is not None else None
        self.talk.secrecy.learn(self.schema.block, intention.change.planned)
        return await self.talk.act(lambda session: carry_out(session, intention, approved))

    async def _meant(self, prior: Standing) -> Intention:
        intention = await self.talk.ask(lambda session: intend(session, self._type, prior, self.given))
        if intention.replaces:
            raise broken("E3019", f"it would have to be made anew, which nobody approved; {_AGAIN}")
        return intention

    async def _prior(self, bound: Binding | None) -> Standing:
        """Return what was planned upon: what stood then, if nothing can have happened since."""
        if bound is not None and bound.prior is not None and not self.operation.order.doubtful:
            return bound.prior
        return await self._standing()

    async def _standing(self) -> Standing:
        found = await self._last_seen()
        if found is None:
            raise ProviderFailed(f"it is gone; {_AGAIN}")
        return found

    async def _last_seen(self) -> Standing | None:
        """Look at the object that the row tells of."""
        row, secrecy = self.operation.prior, self.talk.secrecy
        if row is None:
            return None
        kept = kept_of(row, secrecy)
        stood = standing_of(row, kept, secrecy)
        return await self.talk.ask(lambda session: look(session, self._type, kept.version, stood))

    def _kept(self) -> Standing | None:
        row, secrecy = self.operation.prior, self.talk.secrecy
        return None if row is None else standing_of(row, kept_of(row, secrecy), secrecy)

    def _left(self, applied: Applied) -> Left:
        """Return what has come of a change, or raise `ProviderFailed` with what stands all the same."""
        # What it says of a new object may name what is sensitive in it.
        self.talk.secrecy.learn(self.schema.block, applied.standing.state if applied.standing else None)
        severe = failure(applied.said, self.talk.secrecy)
        if applied.standing is None:
            if severe:
                raise ProviderFailed(severe)
            raise broken("E3014", "the provider says that nothing has come of it")
        left = self._seen(applied.standing)
        if severe:
            raise ProviderFailed(severe, *left)
        return left

    def _seen(self, standing: Standing) -> Left:
        """Return an object as it is shown and stored."""
        secrecy = self.talk.secrecy
        kept = kept_from(standing, self.talk.program.source, self.schema.version)
        return secrecy.hide(self.schema.block, standing.state), kept.written(secrecy)


def _doubt(change: Changing, why: str, words: str, more: dict[str, Value]) -> ProviderDoubt:
    """Return the one question to a person: what was to be made, what is known of it."""
    seen = change.talk.secrecy.hide(change.schema.block, change.given)
    wanted: dict[str, Value] = {name: value for name, value in seen.items() if value not in (None, [])}
    operation = change.operation
    return ProviderDoubt(
        f"`{operation.address}` may have been made or not: {why}. {words}",
        {"address": operation.address, "type": operation.type, "object": wanted, **more},
    )


def identified(pattern: str, given: Mapping[str, Value]) -> str:
    """Return an import id with `{attribute}` filled in; empty where anything of it is not known."""
    missing: list[str] = []

    def part(match: re.Match[str]) -> str:
        value: Value = dict(given)
        for name in match[1].split("."):
            value = value.get(name) if isinstance(value, dict) else None
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            missing.append(match[1])
            return ""
        return str(value)

    text = _PLACE.sub(part, pattern)
    return "" if missing else text


def _bound(change: Changing) -> Binding | None:
    """Return what was approved. To open it costs as much as a call: it is done once an operation."""
    return binding_of(change.operation.binding, implied(change.schema.block), change.talk.secrecy)


async def _promised(change: Changing, bound: Binding | None, prior: Standing | None) -> Intention | None:
    """Return what was planned, if it was made of just what there is now; None: plan it again."""
    operation = change.operation
    # What was doubtful once is planned anew: what stands now need not be what stood then.
    if bound is None or not bound.inputs or operation.order.doubtful or bound.prior != prior:
        return None
    if bound.inputs != await change.talk.inputs(operation.type, change.given):
        return None
    state = None if prior is None else prior.state
    return Intention(
        Change(operation.type, state, bound.planned, change.given, bound.private, bound.identity),
        legacy=bound.legacy,
    )


async def _own_identity(change: Changing) -> dict[str, Value] | None:
    """Return under what the provider itself would find the object, if it knows that beforehand."""
    kind = change.operation.type
    intention = await change.talk.ask(lambda session: intend(session, kind, None, change.given))
    schema = await change.talk.ask(partial(_identity_schema, kind))
    identity = intention.change.identity
    return identity if schema is not None and schema.identifies(identity) else None


async def _identity_schema(type_name: str, session: Session) -> IdentitySchema | None:
    return session.identities.get(type_name)


def _shown(identity: str | dict[str, Value]) -> str:
    return identity if isinstance(identity, str) else json.dumps(identity, default=str)


async def find_under(session: Session, type_name: str, identity: str | dict[str, Value]) -> Standing | None:
    """Return the object that an id or an identity means; None when there is none. Raises `Refused`."""
    for kind, stub in await session.find(type_name, identity):
        if kind == type_name:
            return await session.read(type_name, stub)
    return None
