"""What of an object may be seen: secrets go to its provider in clear, and come back sealed.

Rule: nothing leaves here in clear that the schema calls sensitive, or that holds a secret which was sent.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import field
from functools import partial
from typing import Final

from dirigent.model.problem import refuse
from dirigent.model.record import dataclass
from dirigent.model.values import OPENED, SEALED, SecretRef, SecretText, Value
from dirigent.ports import Vault
from dirigent.providers.tofu.provider.fleeting.naming import parted, value_at
from dirigent.providers.tofu.schema.shape import Attribute, Block, Nesting
from dirigent.providers.tofu.sealing import Seal, opened, sealed_leaves, token_of

# Shorter ones would seal ordinary text; a secret of three characters protects nothing.
LEAST: Final = 4
_WITHHELD: Final = "(sensitive)"


@dataclass(frozen=True, slots=True)
class Secrecy:
    """The secrets of one conversation with a provider. `texts` are those sealed ones that were opened.

    `anywhere` are those of all conversations: what a process complains of may be about another object.
    `lent` is what was opened for this one, by its token.
    """

    vault: Vault
    seal: Seal
    texts: dict[str, None] = field(default_factory=dict)
    anywhere: dict[str, None] = field(default_factory=dict)
    lent: dict[str, dict[str, Value]] = field(default_factory=dict)

    def fresh(self) -> Secrecy:
        """Return the same for another conversation."""
        return Secrecy(self.vault, self.seal, anywhere=self.anywhere)

    def reveal(self, value: Value) -> Value:
        """Return a configuration or a state in clear. Raises `Refusal` (E3018, E6001)."""
        return opened(value, self._revealed)

    def hide(self, block: Block, state: Mapping[str, Value]) -> dict[str, Value]:
        """Return a state as it may be seen and stored. What is sensitive in it is hidden all over it."""
        self.learn(block, state)
        return self._hidden(block, state)

    def _hidden(self, block: Block, state: Mapping[str, Value]) -> dict[str, Value]:
        found = self._attributes(block.attributes, state)
        for name, nested in block.blocks.items():
            found[name] = _each(state.get(name), nested.nesting, partial(self._hidden, nested.block))
        # A member that no schema knows is not told.
        return found

    def conceal(self, block: Block, config: Mapping[str, Value]) -> dict[str, Value]:
        """Return a configuration, as it was written, with what is sensitive in it sealed."""
        return {name: self._concealed(block, name, value) for name, value in config.items()}

    def _concealed(self, block: Block, name: str, value: Value) -> Value:
        attribute, nested = block.attributes.get(name), block.blocks.get(name)
        if attribute is not None and (attribute.sensitive or attribute.write_only):
            return sealed_leaves(value, self.seal)
        if attribute is not None and attribute.nested is not None:
            inner = Block(attribute.nested.attributes)
            return _each(value, attribute.nested.nesting, partial(self.conceal, inner))
        return value if nested is None else _each(value, nested.nesting, partial(self.conceal, nested.block))

    def withheld(self, text: str) -> str:
        """Return what a provider said, without what it should not have said."""
        shown = str(self.vault.redact(text))
        for secret in sorted(self.anywhere, key=len, reverse=True):
            shown = shown.replace(secret, _WITHHELD)
        return shown

    def learn(self, block: Block, state: Mapping[str, Value] | None) -> None:
        """Take note of the sensitive values of a state, so that no message shows them."""
        for text in _sensitive(block, state or {}):
            self.note(text)

    def _revealed(self, secret: SecretText) -> Value:
        if len(secret.parts) == 1 and isinstance(secret.parts[0], SecretRef):
            name = secret.parts[0].name
            if name.startswith(OPENED):
                return _lent(self, name)
        token = token_of(secret)
        if token is not None:
            value = self.seal.open(token)
            self.note(value if isinstance(value, str) else "")
            return value
        return "".join(part if isinstance(part, str) else self._part(part) for part in secret.parts)

    def _part(self, reference: SecretRef) -> str:
        if reference.name.startswith(OPENED):
            value = _lent(self, reference.name)
            return value if isinstance(value, str) else json.dumps(value)
        if reference.name.startswith(SEALED):
            text = self.seal.text(reference.name.removeprefix(SEALED))
            self.note(text)
            return text
        return str(self.vault.reveal(SecretText((reference,))))

    def note(self, text: str) -> None:
        """Take note of a text that nothing may show, unless it is too short to be one."""
        if len(text) >= LEAST:
            self.texts[text] = None
            self.anywhere[text] = None

    def _attributes(
        self, attributes: Mapping[str, Attribute], state: Mapping[str, Value]
    ) -> dict[str, Value]:
        found: dict[str, Value] = {}
        for name, attribute in attributes.items():
            value = state.get(name)
            if attribute.write_only:
                # A provider that lets it stand in a state is not obeyed.
                found[name] = None
            elif attribute.sensitive:
                found[name] = sealed_leaves(value, self.seal)
            elif attribute.nested is not None:
                inner = Block(attribute.nested.attributes)
                found[name] = _each(value, attribute.nested.nesting, partial(self._hidden, inner))
            else:
                found[name] = self.told(value)
        return found

    def told(self, value: Value) -> Value:
        """Return what the schema lets everybody see, but for texts that hold a secret which was sent."""
        match value:
            case str():
                return self.seal.close(value) if self._holds_secret(value) else value
            case list():
                return [self.told(each) for each in value]
            case dict():
                return {name: self.told(each) for name, each in value.items()}
            case _:
                return value

    def _holds_secret(self, text: str) -> bool:
        return any(secret in text for secret in self.texts) or self.vault.redact(text) != text


def _each(value: Value, nesting: Nesting, act: Callable[[dict[str, Value]], dict[str, Value]]) -> Value:
    """Act on an object, or on each of a collection; only the schema tells an object from a map of them."""
    match value:
        case list():
            return [_each(each, Nesting.SINGLE, act) for each in value]
        case dict() if nesting is Nesting.MAP:
            return {name: _each(each, Nesting.SINGLE, act) for name, each in value.items()}
        case dict():
            return {**act(value)}
        case _:
            return value


def _lent(secrecy: Secrecy, name: str) -> Value:
    """Return what was opened under a name. Raises `Refusal` (E3045)."""
    token, path = parted(name)
    if token not in secrecy.lent:
        raise refuse("E3045", "an ephemeral value is wanted where none may be")
    value = value_at(secrecy.lent[token], path)
    for text in texts_in(value):
        secrecy.note(text)
    return value


def _sensitive(block: Block, state: Mapping[str, Value]) -> Iterator[str]:
    for name, attribute in block.attributes.items():
        if attribute.sensitive or attribute.write_only:
            yield from texts_in(state.get(name))
        elif attribute.nested is not None:
            for each in _objects(state.get(name)):
                yield from _sensitive(Block(attribute.nested.attributes), each)
    for name, nested in block.blocks.items():
        for each in _objects(state.get(name)):
            yield from _sensitive(nested.block, each)


def _objects(value: Value) -> Iterator[dict[str, Value]]:
    match value:
        case list():
            for each in value:
                yield from _objects(each)
        case dict():
            yield value
            for each in value.values():
                yield from _objects(each)
        case _:
            return


def texts_in(value: Value) -> Iterator[str]:
    """Yield every text within a value."""
    match value:
        case str():
            yield value
        case list():
            for each in value:
                yield from texts_in(each)
        case dict():
            for each in value.values():
                yield from texts_in(each)
        case _:
            return
