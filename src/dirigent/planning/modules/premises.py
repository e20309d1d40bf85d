"""Where resources stand while a plan is made: every instance of every module, with a scope of its own.

Nodes of the layout meet instances here, wave by wave. What an input or output hangs on is passed through
as addresses of resources, so that nothing behind this knows of modules.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from dirigent.model.plan import Bridge
from dirigent.model.problem import Label, Problem, Refusal
from dirigent.model.record import dataclass
from dirigent.model.resource import Resource
from dirigent.model.run.views import input_name, output_name
from dirigent.model.stack import Input
from dirigent.model.values import SecretRef, SecretText, Template, Unknown, Value, has_unknown
from dirigent.planning.expand import Instance, expand, is_counted, is_keyed, repeats
from dirigent.planning.modules.bridges import Bridges, is_open
from dirigent.planning.modules.layout import (
    Home,
    Kind,
    Layout,
    Node,
    handed_down,
    opening_name,
    whole_name,
)
from dirigent.planning.modules.places import Addresses, Place, Places
from dirigent.planning.request import Asking
from dirigent.planning.values.difference import span_of
from dirigent.planning.values.evaluate import Job, Rendered, Scope, render_all
from dirigent.ports import Language, Schemas


@dataclass(frozen=True, slots=True)
class Standing:
    """A resource of one place, under its full name."""

    resource: Resource
    place: Place
    local: str


class Premises:
    """The places of a plan in the making, and what of them is known."""

    def __init__(
        self, layout: Layout, constants: Mapping[str, Value], language: Language, schemas: Schemas | None
    ) -> None:
        """Begin with the stack itself. Without `schemas` no value of an input is checked."""
        self._layout = layout
        self._language = language
        self._schemas = schemas
        self._constants = constants
        root = Place(layout.homes[""], "", Scope(constants))
        self._places = Places(layout, root)
        self._outputs: dict[str, dict[str, Value]] = {}
        self.bridges = Bridges(self._places, language)
        self.root = root
        self.empty: dict[str, Value] = {}

    # -- what planning asks ---------------------------------------------------------------------

    def resources(self, wave: Sequence[Node]) -> list[Standing]:
        """Return the resources of a wave, once for each place, named and set up for it."""
        return [
            Standing(_placed(place, node.name), place, node.name)
            for node in wave
            if node.kind is Kind.RESOURCE
            for place in self._places.of(node.home)
        ]

    def places(self) -> Iterator[Place]:
        """Yield the stack itself and every instance of every module, each before those in it."""
        for home in self._layout.homes:
            yield from self._places.of(home)

    def needs(self, standing: Standing) -> Addresses:
        """Return the addresses that a resource hangs on."""
        return self._places.behind(standing.place, self._layout.edges[standing.place.home.at(standing.local)])

    def stand(self, standing: Standing, addresses: Addresses, value: Value) -> None:
        """Show what a resource becomes, or its empty shape."""
        self._places.put(standing.resource.name, addresses)
        standing.place.scope.show(standing.local, value)
        if not addresses:
            self.empty[standing.resource.name] = value

    def leave_out(self, nodes: Sequence[Node]) -> None:
        """Let what is not in the plan be unknown: modules, inputs and outputs."""
        for node in nodes:
            home = self._layout.homes[node.home]
            for place in _evaluated_in(node, self._layout, self._places):
                later = Unknown((place.at(node.name),))
                match node.kind:
                    case Kind.OPENING:
                        place.scope.show(home.name, later)
                    case Kind.INPUT:
                        place.scope.give(node.name, later)
                    case _:
                        self._put_output(node, place, later)

    def shown(self) -> dict[str, Value]:
        """Return the outputs of modules that expressions of the plan may still see, as far as known."""
        return self.bridges.shown(self._outputs)

    # -- nodes of modules -----------------------------------------------------------------------

    def advance(self, wave: Sequence[Node]) -> Asking[None]:
        """Open the modules of a wave, and evaluate its inputs and outputs.

        Raises:
            Refusal: with every value that there is none of (E2004), that is no number of instances (E2005 to
                E2007, E2009), or that does not fit the schema of its input (E2031).
        """
        if len(self._layout.homes) == 1:
            return
        work = [(node, place) for node in wave for place in _evaluated_in(node, self._layout, self._places)]
        rendered = yield from render_all([self._job(node, place) for node, place in work], self._language)
        problems: list[Problem] = []
        for (node, place), result in zip(work, rendered, strict=True):
            try:
                self._take(node, place, result)
            except Refusal as refusal:
                problems.extend(refusal.problems)
        if problems:
            raise Refusal(problems)
        for node in wave:
            if node.kind is Kind.WHOLE:
                edges = self._layout.edges[whole_name(node.home)]
                for place in self._places.of(node.home):
                    self._places.put(whole_name(place.address), self._places.behind(place, edges))

    def _job(self, node: Node, place: Place) -> Job:
        home = self._layout.homes[node.home]
        if node.kind is Kind.OPENING and home.entry is not None:
            return Job(repeats(home.entry), place.scope, {})
        if node.kind is Kind.INPUT and home.module is not None and place.parent is not None:
            return Job(_given(home, node.name), place.parent.scope, place.each)
        return Job(home.stack.outputs[node.name], place.scope, {})

    def _take(self, node: Node, place: Place, result: Rendered) -> None:
        match node.kind:
            case Kind.OPENING:
                self._open(self._layout.homes[node.home], place, result.value)
            case Kind.INPUT:
                self._give(node, place, result)
            case _:
                self._show(node, place, result)

    def _open(self, home: Home, parent: Place, repeated: Value) -> None:
        """Make the places of a module in one place of its parent."""
        if home.entry is None:
            raise AssertionError(f"`{home.path}` is no module")
        instances = expand(replace(home.entry, name=parent.at(home.name)), repeated)
        behind = self._places.behind(parent, self._layout.edges[opening_name(home.path)])
        places = [_opened(self._constants, home, parent, each) for each in instances]
        for place in places:
            self._places.put(opening_name(place.address), behind)
            self._outputs[place.address] = {}
        self._places.open(home, parent, places)
        self._present(parent, home, places)
        if not places:
            self.empty[parent.at(home.name)] = [] if is_counted(home.entry) else {}

    def _give(self, node: Node, place: Place, result: Rendered) -> None:
        """Make an input known in a module, as far as it is."""
        name = input_name(place.address, node.name)
        edges = self._layout.edges[input_name(node.home, node.name)]
        parent = place.parent
        if parent is None:
            raise AssertionError("only a module has inputs of a parent")
        behind = self._places.behind(parent, edges)
        self._places.put(name, behind)
        declared = place.home.stack.inputs[node.name]
        place.scope.give(node.name, result.value)
        if has_unknown(result.value):
            waits = self.bridges.waits(parent, (result.template,))
            each, schema = place.each.get("each"), dict(declared.schema)
            bridge = Bridge(name, parent.address, result.template, behind, waits, each, schema, node.span)
            self.bridges.add(bridge)
        elif self._schemas is not None and is_open(_given(place.home, node.name)):
            # What stands in a file was checked when it was read.
            _check(self._schemas, node, place, declared, result.value)

    def _show(self, node: Node, place: Place, result: Rendered) -> None:
        """Make an output known in the parent of a module, as far as it is."""
        name = output_name(place.address, node.name)
        # What the module itself hangs on, this output does only where what it shows does.
        opening = opening_name(node.home)
        edges = [edge for edge in self._layout.edges[output_name(node.home, node.name)] if edge != opening]
        behind = self._places.behind(place, edges)
        self._places.put(name, behind)
        if has_unknown(result.value):
            waits = self.bridges.waits(place, (result.template,))
            self.bridges.add(Bridge(name, place.address, result.template, behind, waits, span=node.span))
        self._put_output(node, place, result.value)

    def _put_output(self, node: Node, place: Place, value: Value) -> None:
        """Show an output in the parent of a module."""
        self._outputs[place.address][node.name] = value
        places = self._places.among(place)
        if place is places[-1] and place.parent is not None:
            # All instances have come by now: what they give is put together once.
            self._present(place.parent, place.home, places)

    def _present(self, parent: Place, home: Home, places: Sequence[Place]) -> None:
        """Show the outputs of a module in its parent."""
        shown: Value
        if home.entry is not None and is_counted(home.entry):
            shown = [dict(self._outputs[place.address]) for place in places]
        elif home.entry is not None and is_keyed(home.entry):
            shown = {str(place.key): dict(self._outputs[place.address]) for place in places}
        else:
            shown = dict(self._outputs[places[0].address])
        parent.scope.show(home.name, shown)


def _opened(constants: Mapping[str, Value], home: Home, parent: Place, instance: Instance) -> Place:
    """Return an instance of a module, with no input given yet. Its secrets are its own."""
    secrets: dict[str, Value] = {name: SecretText((SecretRef(home.at(name)),)) for name in home.stack.secrets}
    scope = Scope({**constants, "inputs": {}, "secrets": secrets}, instance.address)
    return Place(home, instance.address, scope, parent, instance.variables, instance.key)


def _evaluated_in(node: Node, layout: Layout, places: Places) -> Sequence[Place]:
    """Return the places for which a node is evaluated: for an opening, those of the parent."""
    match node.kind:
        case Kind.OPENING:
            return places.of(layout.homes[node.home].parent)
        case Kind.INPUT | Kind.OUTPUT:
            return places.of(node.home)
        case _:
            return ()


def _placed(place: Place, name: str) -> Resource:
    """Return a resource of a home as it is in one place."""
    home = place.home
    resource = home.stack.resources[name]
    if not place.address:
        return resource
    return replace(
        resource,
        name=place.at(name),
        provider=home.providers.get(resource.provider, resource.provider),
        lifecycle=handed_down(resource.lifecycle, home.lifecycle),
    )


def _given(home: Home, name: str) -> Template:
    """Return what a parent gives for an input, or its default."""
    declared = home.stack.inputs[name]
    if home.module is not None and name in home.module.inputs:
        return home.module.inputs[name]
    # A default is a value: only the invariance of lists hides that it is a template too.
    return _literal(declared.default)


def _literal(value: Value) -> Template:
    match value:
        case list():
            return [_literal(item) for item in value]
        case dict():
            return {key: _literal(item) for key, item in value.items()}
        case _:
            return value


def _check(schemas: Schemas, node: Node, place: Place, declared: Input, value: Value) -> None:
    """Raise `Refusal` (E2031) for a value that does not fit the schema of its input."""
    # Of a secret nobody knows here what it says.
    violation = None if _holds_secret(value) else schemas.violation(dict(declared.schema), value)
    if violation is None:
        return
    raise Refusal(
        [
            Problem(
                "E2031",
                f"the input `{node.name}` of the module `{place.address}` does not fit its schema: "
                f"{violation}",
                at=span_of(f"with.inputs.{node.name}", place.home.entry.spans if place.home.entry else {})
                or node.span,
                label="given here",
                others=(Label(declared.span, "its schema"),) if declared.span else (),
                help=("change the value, or the schema in the module",),
            )
        ]
    )


def _holds_secret(value: Value) -> bool:
    match value:
        case SecretText():
            return True
        case list():
            return any(_holds_secret(item) for item in value)
        case dict():
            return any(_holds_secret(item) for item in value.values())
        case _:
            return False
