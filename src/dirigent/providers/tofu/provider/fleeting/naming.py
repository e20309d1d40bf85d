"""Names of ephemeral values: `opened:TOKEN#attribute`. The token says how it is opened, never what it is.

Who holds the name can open it anew in any process that has the key; nobody else learns even how.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from dirigent.model.problem import Problem, Refusal, refuse
from dirigent.model.record import dataclass
from dirigent.model.values import OPENED, SCALARS, SecretRef, SecretText, Unknown, Value
from dirigent.providers.tofu.schema.shape import Block, Nesting
from dirigent.providers.tofu.sealing import Seal, token_in
from dirigent.providers.tofu.values.paths import shown

# No text of a stack begins so: what does stands for a text with secrets in it.
_TEXT: Final = "\x00text"
_APART: Final = "#"


@dataclass(frozen=True, slots=True)
class Way:
    """How something is opened: by which provider under which configuration, of what type, with what."""

    provider: str
    setup: dict[str, Value]
    type: str
    config: dict[str, Value]

    def token(self, seal: Seal) -> str:
        """Return it under seal; the same way gives the same token."""
        content = [self.provider, _plain(self.setup), self.type, _plain(self.config)]
        return token_in(seal.close(content))


def way_of(token: str, seal: Seal) -> Way:
    """Return the way that a token stands for. Raises `Refusal` (E3018)."""
    match seal.open(token):
        case [str() as provider, dict() as setup, str() as kind, dict() as config]:
            return Way(provider, _object(_whole(setup)), kind, _object(_whole(config)))
        case _:
            raise refuse("E3018", "an ephemeral value cannot be opened: its name says something else")


def names_of(token: str, block: Block, path: tuple[str, ...] = ()) -> dict[str, Value]:
    """Return a name for everything that will be opened; a collection has one name as a whole."""
    found: dict[str, Value] = {name: _name(token, (*path, name)) for name in block.attributes}
    for name, nested in block.blocks.items():
        single = nested.nesting in {Nesting.SINGLE, Nesting.GROUP}
        here = (*path, name)
        found[name] = names_of(token, nested.block, here) if single else _name(token, here)
    return found


def refuse_kept(type_name: str, block: Block | None, config: Mapping[str, Value]) -> None:
    """Raise `Refusal` (E3045) for every ephemeral value that would be kept: only write-only takes one.

    Without a `block` nothing takes one.
    """
    odd = dict.fromkeys(
        path for path, _ in opened_in(dict(config)) if block is None or not _fleeting(block, path)
    )
    if odd:
        raise Refusal([_kept(type_name, shown(path)) for path in odd])


def _kept(type_name: str, path: str) -> Problem:
    return Problem(
        "E3045",
        f"`{path}` of `{type_name}` would keep an ephemeral value, which is never stored",
        label=path,
        help=("give it to a write-only attribute, to a provider's configuration, or to what is opened",),
    )


def forgetting(
    block: Block, config: Mapping[str, Value], path: tuple[str | int, ...] = ()
) -> dict[str, Value]:
    """Return a configuration as its row keeps it: without what is write-only."""
    return {name: _forgetting(block, each, (*path, name)) for name, each in config.items()}


def _forgetting(block: Block, value: Value, path: tuple[str | int, ...]) -> Value:
    if _fleeting(block, path):
        return None
    match value:
        case dict():
            return forgetting(block, value, path)
        case list():
            return [_forgetting(block, each, (*path, at)) for at, each in enumerate(value)]
        case _:
            return value


def _fleeting(block: Block, path: Sequence[str | int]) -> bool:
    """Return whether a path lies in a write-only attribute. Indexes and keys are passed over."""
    at = block
    for step in path:
        attribute, nested = at.attributes.get(str(step)), at.blocks.get(str(step))
        if attribute is not None and attribute.write_only:
            return True
        if attribute is not None and attribute.nested is not None:
            at = Block(attribute.nested.attributes)
        elif nested is not None:
            at = nested.block
        elif attribute is not None:
            return False
    return False


def value_at(result: Mapping[str, Value], path: str) -> Value:
    """Return what lies at the path of a name."""
    value: Value = dict(result)
    for step in path.split("."):
        value = value.get(step) if isinstance(value, dict) else None
    return value


def parted(name: str) -> tuple[str, str]:
    """Return the token and the path of a name."""
    token, _, path = name.removeprefix(OPENED).partition(_APART)
    return token, path


def opened_in(value: Value) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Yield the path and the name of every ephemeral value within a value."""
    pending: list[tuple[tuple[str | int, ...], Value]] = [((), value)]
    while pending:
        path, node = pending.pop()
        match node:
            case SecretText(parts=parts):
                for part in parts:
                    if isinstance(part, SecretRef) and part.name.startswith(OPENED):
                        yield path, part.name
            case list():
                pending += [((*path, at), each) for at, each in enumerate(node) if type(each) not in SCALARS]
            case dict():
                pending += [((*path, key), each) for key, each in node.items() if type(each) not in SCALARS]
            case _:
                pass


def _name(token: str, path: tuple[str, ...]) -> SecretText:
    return SecretText((SecretRef(f"{OPENED}{token}{_APART}{'.'.join(path)}"),))


def _plain(value: Value) -> Value:
    """Return a value in terms of JSON, with secrets by their names."""
    match value:
        case SecretText(parts=parts):
            return {_TEXT: [part if isinstance(part, str) else [part.name] for part in parts]}
        case Unknown():
            raise AssertionError("what is not known yet is not opened")
        case list():
            return [_plain(each) for each in value]
        case dict():
            return {name: _plain(each) for name, each in value.items()}
        case _:
            return value


def _whole(value: Value) -> Value:
    match value:
        case dict() if _TEXT in value:
            parts = value[_TEXT]
            return SecretText(tuple(map(_part, parts if isinstance(parts, list) else ())))
        case list():
            return [_whole(each) for each in value]
        case dict():
            return {name: _whole(each) for name, each in value.items()}
        case _:
            return value


def _part(part: Value) -> str | SecretRef:
    return SecretRef(str(part[0])) if isinstance(part, list) else str(part)


def _object(value: Value) -> dict[str, Value]:
    return value if isinstance(value, dict) else {}
