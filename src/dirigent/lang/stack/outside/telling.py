"""What can be told of the types that a stack may use: all of them, one of them, or a part of one."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final

from dirigent.lang.shape import nearest, shortened
from dirigent.lang.shape.outline import Outline, example_of, outline_of, outlines_of
from dirigent.lang.stack.outside.looking import KINDS
from dirigent.lang.stack.outside.offers import Offer, TypeShape
from dirigent.model.problem import refuse
from dirigent.model.record import dataclass
from dirigent.model.values import Value

_INDEX: Final = re.compile(r"\[[^\]]*\]")


@dataclass(frozen=True, slots=True)
class Told:
    """One type, or a part of one, or the configuration of a provider (`type` is empty then).

    What is looked up, opened or called has its key before it: `read.docker_image`. `provider` is its name in
    the stack, empty for a type of ours. `beside` are the keys that stand beside `with`; `example` is the
    least that may be written, as a stack has it.
    """

    type: str
    provider: str
    outline: Outline
    path: tuple[str, ...] = ()
    beside: tuple[Outline, ...] = ()
    example: Value = None


@dataclass(frozen=True, slots=True)
class Known:
    """The types of ours, what the providers of a stack offer, and the names of those that nobody knows."""

    own: Mapping[str, TypeShape]
    offers: Mapping[str, Offer]
    unknown: tuple[str, ...] = ()

    def types(self) -> list[tuple[str, str, TypeShape]]:
        """Return every type with its provider, ours first, then what each looks up, opens and calls."""
        return [(shown, provider, shapes[name]) for shown, provider, shapes, name in self._every()]

    def _every(self) -> Iterator[tuple[str, str, Mapping[str, TypeShape], str]]:
        """Yield every type, its provider, and where its shape is: to make one costs what a name does not."""
        yield from ((name, "", self.own, name) for name in self.own)
        for provider, offer in self.offers.items():
            yield from ((name, provider, offer.types, name) for name in offer.types)
            for look, shapes in offer.looks.items():
                yield from ((_named(look, provider, name), provider, shapes, name) for name in shapes)

    def tell(self, wanted: str) -> Told:
        """Return what `TYPE`, `TYPE.PATH`, or `PROVIDER` for its own configuration, means.

        Raises `Refusal` (E3041 no such type, E3042 nothing at that path).
        """
        first, *path = _INDEX.sub("", wanted).split(".")
        found = self._of_type(first) or self._of_provider(first)
        if found is None and first in KINDS and path:
            first, path = f"{first}.{path[0]}", path[1:]
            found = self._of_look(first)
        elif found is None:
            found = next(filter(None, (self._of_look(f"{look}.{first}") for look in KINDS)), None)
        if found is None:
            raise refuse(
                "E3041",
                f"there is no type `{shortened(first)}` here",
                self._remedy(first),
                "`dirigent explain` lists all types",
            )
        inside = {each.name for each in found.outline.inside}
        skipped = path[:1] == ["with"] and "with" not in inside
        return _below(found, path[1:] if skipped else path)

    def _remedy(self, name: str) -> str:
        prefix = name.partition("_")[0]
        if prefix in self.unknown:
            return f"it may be one of `{prefix}`, whose types are not known here"
        meant = nearest(name, [*dict.fromkeys(shown for shown, *_ in self._every()), *self.offers])
        return f"did you mean `{meant}`?" if meant else "declare its provider under `providers` of the stack"

    def _of_type(self, name: str) -> Told | None:
        if name in self.own:
            return _of_shape(name, "", self.own[name])
        for provider, offer in self.offers.items():
            shape = offer.types.get(name)
            if shape is not None:
                return _of_shape(name, provider, shape)
        return None

    def _of_look(self, wanted: str) -> Told | None:
        """Return a data source, an ephemeral type or a function by its key and name: `read.docker_image`."""
        look, _, name = wanted.partition(".")
        for provider, offer in self.offers.items():
            shapes = offer.looks.get(look, {})
            bare = name.removeprefix(f"{provider}::") if look == "call" else name
            if bare in shapes and _named(look, provider, bare) == wanted:
                return _of_shape(name, provider, shapes[bare], look)
        return None

    def _of_provider(self, name: str) -> Told | None:
        offer = self.offers.get(name)
        if offer is None:
            return None
        outline = Outline(name, "a mapping", inside=outlines_of(offer.setup))
        return Told("", name, outline)


def _named(look: str, provider: str, name: str) -> str:
    return f"{look}.{provider}::{name}" if look == "call" else f"{look}.{name}"


def _of_shape(name: str, provider: str, shape: TypeShape, look: str = "") -> Told:
    inside = outlines_of(shape.inside)
    outline = Outline(name, "a mapping", description=shape.description, inside=inside)
    beside = tuple(outline_of(key, each) for key, each in shape.beside.items())
    entry: dict[str, Value] = {look or "type": name}
    least = example_of(shape.inside)
    if least:
        entry["with"] = least
    kind = f"{look}.{name}" if look else name
    return Told(kind, provider, outline, beside=beside, example={"resources": {"example": entry}})


def _below(told: Told, path: list[str]) -> Told:
    """Return what lies at a path; beside keys are found like those of `with`."""
    at, keys = told.outline, told.beside
    for number, name in enumerate(path):
        known = {each.name: each for each in (*at.inside, *keys)}
        if name not in known:
            whole = ".".join((told.type or told.provider, *path[:number]))
            meant = nearest(name, list(known))
            listed = ", ".join(known) if known else ""
            raise refuse(
                "E3042",
                f"`{whole}` has nothing that is called `{shortened(name)}`",
                f"did you mean `{whole}.{meant}`?"
                if meant
                else f"it has: {listed}"
                if listed
                else f"it is {at.what}, and has no parts",
            )
        at, keys = known[name], ()
    if not path:
        return told
    return Told(told.type, told.provider, at, tuple(path), example={at.name: at.example})
