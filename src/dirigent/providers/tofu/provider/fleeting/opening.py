"""What is opened for a while: in a plan only its names, and a conversation for who wants to have it open."""

from __future__ import annotations

from collections.abc import Mapping

from dirigent.model.problem import refuse
from dirigent.model.record import dataclass
from dirigent.model.values import Unknown, Value, has_unknown
from dirigent.ports.resources import Proposal
from dirigent.providers.tofu.lifecycle.lasting import Opening, begin, check, end, renew
from dirigent.providers.tofu.lifecycle.session import Refused
from dirigent.providers.tofu.provider.conversation import Conversation
from dirigent.providers.tofu.provider.fleeting.naming import Way, names_of
from dirigent.providers.tofu.provider.rows import Kept
from dirigent.providers.tofu.provider.secrecy import LEAST, texts_in
from dirigent.providers.tofu.provider.words import told, warnings
from dirigent.providers.tofu.schema.shape import Schema


async def named(talk: Conversation, kind: str, config: Mapping[str, Value], *, later: bool) -> Proposal:
    """Return the names of what will be opened. Nothing is opened yet, but the configuration is checked.

    Raises:
        Refusal: E3012, E3016, and E3013 for what the provider says of the configuration.
    """
    schema = await _schema(talk, kind)
    await talk.borrow(dict(config))
    given = talk.given(kind, schema, config)
    if later or talk.deferred or has_unknown(dict(config)):
        # Who hangs on something that changes is not opened before that: the run names it.
        unknown: dict[str, Value] = dict.fromkeys((*schema.block.attributes, *schema.block.blocks), Unknown())
        return Proposal(unknown, decided=True, deferred=True)
    said = await talk.ask(lambda session: check(session, kind, given))
    kept = talk.secrecy.conceal(schema.block, config)
    way = Way(talk.name, dict(talk.setup), kind, kept)
    attributes = names_of(way.token(talk.secrecy.seal), schema.block)
    binding = Kept(talk.program.source, schema.version).written(talk.secrecy)
    return Proposal(
        attributes,
        warnings=warnings(said, talk.secrecy),
        decided=True,
        binding=binding,
        config=kept,
    )


@dataclass(frozen=True, slots=True)
class Lending:
    """Implements `lasting.Lender` by a conversation of its own."""

    talk: Conversation
    way: Way

    @property
    def borrowed(self) -> tuple[str, ...]:
        """Return the tokens of what it hangs on itself."""
        return tuple(self.talk.borrowed)

    async def begin(self) -> Opening:
        """Open it. Raises as `words.told` does."""
        talk, kind = self.talk, self.way.type
        with told(talk.name, talk.secrecy):
            schema = await _schema(talk, kind)
            await talk.borrow(self.way.config)
            given = talk.given(kind, schema, self.way.config)
            opening = await talk.act(lambda session: begin(session, kind, given))
            # All of it is nobody's business, whatever the schema says, but for what was told to open it;
            # and so it is beside an error, whose words may name it.
            shown = [value for name, value in opening.result.items() if given.get(name) != value]
            for text in texts_in(shown):
                if len(text) >= LEAST:
                    talk.secrecy.anywhere[text] = None
            if any(each.severe for each in opening.said):
                raise Refused(opening.said)
        return opening

    async def renew(self, opening: Opening) -> Opening:
        """Have it last longer."""
        with told(self.talk.name, self.talk.secrecy):
            return await self.talk.ask(lambda session: renew(session, opening))

    async def end(self, opening: Opening) -> None:
        """Close it."""
        with told(self.talk.name, self.talk.secrecy):
            await self.talk.ask(lambda session: end(session, opening))


async def _schema(talk: Conversation, kind: str) -> Schema:
    known = (await talk.schemas()).ephemerals
    if kind not in known:
        offer = ", ".join(f"`{each}`" for each in known)
        raise refuse(
            "E3016",
            f"the provider `{talk.name}` has nothing to open that is called `{kind}`",
            *([f"it has {offer}"] if offer else []),
        )
    return known[kind]
