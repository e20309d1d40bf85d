"""The schema of a provider as a shape of a stack: checks, JSON Schema and words come from the same block.

Rule: a shape never refuses what `schema.configuration.configured` takes. What a scalar may be written as
is asked of the same conversion; a property holds the two against each other.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from dirigent.lang.shape import Form, Place, Shape, nearest, shortened
from dirigent.lang.shape.outline import Outline, example_of, least_of
from dirigent.lang.shape.place import EXPRESSION_SCHEMA
from dirigent.lang.stack import TypeShape
from dirigent.lang.tree import Items, Leaf, Member, Members, Node
from dirigent.model.record import dataclass
from dirigent.model.source import Span
from dirigent.model.values import Value
from dirigent.providers.tofu.schema.shape import DEPRECATED, Attribute, Block, NestedBlock, Nesting
from dirigent.providers.tofu.schema.typed import TypedShape, complain

# So many names a message lists; `dirigent explain` lists all.
SHOWN: Final = 12
_EXPRESSION: Final[tuple[Value, ...]] = (dict(EXPRESSION_SCHEMA),)
_COLLECTED: Final = (Nesting.LIST, Nesting.SET)


def type_shape(name: str, block: Block, kind: str = "") -> TypeShape:
    """Return the shape of a type of resources, or of what is looked up, opened or called (`kind`)."""
    path = f"{kind}.{name}" if kind else name
    inside = BlockShape(block, path, f"`{name}`" if kind == "call" else f"a `{name}`", top=True)
    return TypeShape(inside, description=_line(block.description), demanded=bool(inside.demanded()))


def setup_shape(name: str, block: Block) -> BlockShape:
    """Return the shape of a provider's own configuration.

    What it demands is not demanded here: many a provider drops a demand when a variable of its environment
    says the same, so that only the provider that runs can tell.
    """
    return BlockShape(block, name, f"the provider `{name}`", top=True, lenient=True)


@dataclass(frozen=True, slots=True)
class BlockShape:
    """The attributes and blocks of one block. `path` is how `dirigent explain` finds it (`TYPE.PATH`).

    `owner` is in words whose block it is; `top` says that it stands under `with`.
    """

    block: Block
    path: str
    owner: str
    top: bool = False
    lenient: bool = False
    what: str = "a mapping"

    @property
    def title(self) -> str:
        """Return what it is called in messages."""
        return f"`with` of {self.owner}" if self.top else self.owner

    def inspect(self, place: Place) -> None:
        """Report what cannot be set (E1426), is unknown (E1203), missing (E1202) or going away (W1427)."""
        node = place.node
        if not isinstance(node, Members):
            complain(place, self.what)
            return
        if self.block.deprecated and self.top:
            self._warn(place, place.where, f"`{self.path}`", self.block.deprecated)
        excused: set[str] = set()
        for member in node:
            attribute = self.block.attributes.get(member.key)
            if attribute is not None:
                self._attribute(place, member, attribute)
            elif member.key in self.block.blocks:
                self._nested(place, member, self.block.blocks[member.key])
            else:
                excused.add(self._unknown(place, node, member))
        for name in self.demanded():
            # A misspelt key is one mistake, not two.
            if _left_out(node.get(name)) and name not in excused:
                self._missing(place, node, name)

    def schema(self, form: Form, /) -> dict[str, Value]:
        """Return the JSON Schema. What the provider decides is not in it."""
        properties: dict[str, Value] = {}
        for name, attribute in self.block.attributes.items():
            if attribute.settable:
                said = _told(attribute.description, attribute.deprecated)
                properties[name] = {**form.of(self.inner(name)), **said}
        for name, nested in self.block.blocks.items():
            said = _told(nested.block.description, nested.block.deprecated)
            properties[name] = {**form.of(self.inner(name)), **said}
        written: dict[str, Value] = {
            "type": "object",
            "properties": properties,
            "additionalProperties": False,
        }
        if self.demanded():
            written["required"] = list(self.demanded())
        return {**written, "title": self.title}

    def outlines(self) -> tuple[Outline, ...]:
        """Return every attribute and block, also those that cannot be set."""
        attributes = (self._told_of(each) for each in self.block.attributes.values())
        return (*attributes, *(self._told_of_block(each) for each in self.block.blocks.values()))

    def example(self) -> Value:
        """Return the least that fits."""
        return least_of({name: (self.inner(name), True) for name in self.demanded()})

    def demanded(self) -> tuple[str, ...]:
        """Return the names of what must be written."""
        if self.lenient:
            return ()
        attributes = (name for name, each in self.block.attributes.items() if each.required)
        return (*attributes, *(name for name, each in self.block.blocks.items() if each.least))

    def inner(self, name: str) -> Shape:
        """Return the shape of an attribute or a block."""
        attribute = self.block.attributes.get(name)
        path = f"{self.path}.{name}"
        if attribute is None:
            return NestedShape(self.block.blocks[name], path)
        if attribute.nested is None:
            return TypedShape(attribute.type)
        nested = NestedBlock(name, Block(attribute.nested.attributes), attribute.nested.nesting)
        return NestedShape(nested, path, sugared=False)

    def _attribute(self, place: Place, member: Member, attribute: Attribute) -> None:
        if _left_out(member.node):
            return
        if not attribute.settable:
            place.report(
                "E1426",
                f"`{member.key}` of {self.owner} is decided by the provider and cannot be set",
                member.key_span,
                "only the provider sets it",
                ("remove it", f"others read it as `${{ $resources.NAME.{member.key} }}`"),
            )
            return
        if attribute.deprecated:
            self._warn(place, member.key_span, f"`{member.key}` of {self.owner}", attribute.deprecated)
        place.enter(member.key, member.node, self.inner(member.key), member.key_span)

    def _nested(self, place: Place, member: Member, nested: NestedBlock) -> None:
        if _left_out(member.node):
            return
        if nested.block.deprecated:
            self._warn(place, member.key_span, f"`{member.key}` of {self.owner}", nested.block.deprecated)
        place.enter(member.key, member.node, self.inner(member.key), member.key_span)

    def _warn(self, place: Place, at: Span, what: str, words: str) -> None:
        said = "" if words == DEPRECATED else f": {_line(words)}"
        place.report("W1427", f"{what} is deprecated{said}", at, "deprecated")

    def _unknown(self, place: Place, node: Members, member: Member) -> str:
        settable = [name for name, each in self.block.attributes.items() if each.settable]
        every = [*settable, *self.block.blocks]
        meant = nearest(member.key, [name for name in every if name not in node.members])
        if not every:
            known = "nothing can be set here"
        elif len(every) <= SHOWN:
            known = f"known: {', '.join(sorted(every))}"
        else:
            known = f"`dirigent explain {self.path}` lists all {len(every)} that are known"
        place.report(
            "E1203",
            f"unknown property `{shortened(member.key)}` in {self.title}",
            member.key_span,
            f"did you mean `{meant}`?" if meant else "unknown",
            (f"change it to `{meant}`", known) if meant else (known,),
        )
        return meant or ""

    def _missing(self, place: Place, node: Members, name: str) -> None:
        written = node.members.get(name)
        place.report(
            "E1202",
            f"{place.title} lacks `{name}`",
            place.where if written is None else written.key_span,
            f"`{name}` is missing here" if written is None else "nothing stands here",
            (f"add `{name}:` with {self.inner(name).what}",) if written is None else ("write a value",),
        )

    def _told_of(self, each: Attribute) -> Outline:
        shape = self.inner(each.name)
        flags = (
            ("required", each.required and not self.lenient),
            ("optional", each.optional or (each.required and self.lenient)),
            ("computed", each.computed),
            ("sensitive", each.sensitive),
            ("write-only", each.write_only),
            ("deprecated", bool(each.deprecated)),
        )
        return Outline(
            each.name,
            shape.what,
            tuple(word for word, true in flags if true),
            each.description,
            _reason(each.deprecated),
            shape.outlines() if isinstance(shape, NestedShape | TypedShape) else (),
            example_of(shape),
        )

    def _told_of_block(self, each: NestedBlock) -> Outline:
        shape = NestedShape(each, f"{self.path}.{each.name}")
        required = "required" if each.least and not self.lenient else "optional"
        said = (required, "deprecated") if each.block.deprecated else (required,)
        block = each.block
        return Outline(
            each.name,
            shape.what,
            said,
            block.description,
            block.deprecated,
            shape.outlines(),
            shape.example(),
        )


@dataclass(frozen=True, slots=True)
class NestedShape:
    """A nested block, or an attribute with attributes; `sugared` takes one object for a list of one."""

    nested: NestedBlock
    path: str
    sugared: bool = True

    @property
    def what(self) -> str:
        """Return in words how it is written."""
        match self.nested.nesting:
            case Nesting.SINGLE | Nesting.GROUP:
                return "a mapping"
            case Nesting.MAP:
                return "a mapping from names to mappings"
            case Nesting.LIST | Nesting.SET:
                several = f"a list of {self._bounds()}"
                return (
                    "a mapping" if self._single else f"a mapping, or {several}" if self.sugared else several
                )

    @property
    def _single(self) -> bool:
        """Return whether it is best written as the one mapping that may stand there."""
        return self.sugared and self.nested.most == 1

    @property
    def element(self) -> BlockShape:
        """Return the shape of one of them."""
        return BlockShape(self.nested.block, self.path, f"`{self.path}`")

    def inspect(self, place: Place) -> None:
        """Report another form (E1201) or number (E1208); ask for each block."""
        node, nesting, element = place.node, self.nested.nesting, self.element
        if nesting is Nesting.MAP and isinstance(node, Members):
            for member in node:
                place.enter(member.key, member.node, element, member.key_span)
        elif nesting in _COLLECTED and isinstance(node, Items):
            self._count(place, len(node.items))
            for index, item in enumerate(node.items):
                place.enter(f"[{index}]", item, element, item.span.beginning)
        elif isinstance(node, Members) and (self.sugared or nesting not in _COLLECTED):
            place.stay(element)
        else:
            complain(place, self.what)

    def schema(self, form: Form, /) -> dict[str, Value]:
        """Return the JSON Schema."""
        one = form.of(self.element)
        match self.nested.nesting:
            case Nesting.SINGLE | Nesting.GROUP:
                return one if "anyOf" in one else {"anyOf": [one]}
            case Nesting.MAP:
                return {"type": "object", "additionalProperties": one}
            case Nesting.LIST | Nesting.SET:
                several: dict[str, Value] = {"type": "array"}
                if self.nested.least:
                    several["minItems"] = self.nested.least
                if self.nested.most:
                    several["maxItems"] = self.nested.most
                # Its parts stand in one of the two forms, the usual one: twice at each depth is too much.
                if self._single:
                    return {"anyOf": [*_alternatives(one), several]}
                several["items"] = one
                return {"anyOf": [several, {"type": "object"}, *_EXPRESSION]} if self.sugared else several

    def outlines(self) -> tuple[Outline, ...]:
        """Return what may stand in one of them."""
        return self.element.outlines()

    def example(self) -> Value:
        """Return the least that fits."""
        one = self.element.example()
        match self.nested.nesting:
            case Nesting.SINGLE | Nesting.GROUP:
                return one
            case Nesting.MAP:
                return {"name": one}
            case Nesting.LIST | Nesting.SET:
                return one if self._single else [one] * max(1, self.nested.least)

    def _bounds(self) -> str:
        least, most = self.nested.least, self.nested.most
        if least and most:
            return _mappings(least) if least == most else f"{least} to {_mappings(most)}"
        return (
            f"at least {_mappings(least)}" if least else f"at most {_mappings(most)}" if most else "mappings"
        )

    def _count(self, place: Place, count: int) -> None:
        nested = self.nested
        if count < nested.least:
            message = f"{place.title} must stand at least {_times(nested.least)}, not {_times(count)}"
            place.report("E1208", message, place.where, "too few")
        elif nested.most and count > nested.most:
            message = f"{place.title} may stand at most {_times(nested.most)}, not {_times(count)}"
            place.report("E1208", message, place.where, "too many")


def _reason(deprecated: str) -> str:
    return "" if deprecated == DEPRECATED else deprecated


def _mappings(count: int) -> str:
    return "one mapping" if count == 1 else f"{count} mappings"


def _alternatives(written: dict[str, Value]) -> list[Value]:
    found = written.get("anyOf")
    return found if isinstance(found, list) else [written]


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


def _left_out(node: Node | None) -> bool:
    return node is None or (isinstance(node, Leaf) and node.value is None)


def _line(text: str) -> str:
    """Return a text of a provider on one line."""
    return " ".join(text.split())


def _told(description: str, deprecated: str) -> Mapping[str, Value]:
    told: dict[str, Value] = {"description": description} if description else {}
    return {**told, "deprecated": True, "deprecationMessage": deprecated} if deprecated else told
