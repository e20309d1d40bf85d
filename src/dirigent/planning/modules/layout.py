"""The tree of modules as it is declared, as one graph: who waits for whom, without looking at any value.

Law: a module is no barrier. A node waits for the inputs and outputs that its expressions name, and for no
module as a whole.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field, replace
from enum import Enum

from dirigent.model import limits
from dirigent.model.problem import Label, Problem, Refusal, refuse
from dirigent.model.record import dataclass
from dirigent.model.resource import Lifecycle, Replace, Resource
from dirigent.model.run.views import input_name, output_name
from dirigent.model.source import Span
from dirigent.model.stack import Module, Stack
from dirigent.model.values import Expression, Template, leaves
from dirigent.planning import graph
from dirigent.ports import Language


@dataclass(frozen=True, slots=True)
class Home:
    """A stack in the tree: the root, whose `path` is empty, or a module.

    `path` is as declared, without keys. `entry` is the resource of the parent that it is, with all that
    its lifecycle hands down; `providers` says which of the root's every provider of it means.
    """

    path: str
    stack: Stack
    parent: str = ""
    name: str = ""
    entry: Resource | None = None
    module: Module | None = None
    providers: Mapping[str, str] = field(default_factory=dict)
    lifecycle: Lifecycle = Lifecycle()

    def at(self, name: str) -> str:
        """Return the path of something in it."""
        return f"{self.path}/{name}" if self.path else name


class Kind(Enum):
    """What a node of the graph is."""

    RESOURCE = "resource"
    OPENING = "opening"
    INPUT = "input"
    OUTPUT = "output"
    WHOLE = "whole"


@dataclass(frozen=True, slots=True)
class Node:
    """One node: a resource `name` in `home`; or the opening, an input, an output or the whole of `home`."""

    path: str
    kind: Kind
    home: str
    name: str
    span: Span | None = None


@dataclass(frozen=True, slots=True)
class Layout:
    """The homes and nodes of a stack by path, and what each node waits for."""

    homes: Mapping[str, Home]
    nodes: Mapping[str, Node]
    edges: Mapping[str, tuple[str, ...]]

    def waves(self) -> list[list[Node]]:
        """Return the nodes in layers. Raises `Refusal` (E2001, E2030) with a circle."""
        if len(self.homes) == 1:
            graph.refuse_cycle(self.homes[""].stack.resources, self.edges)
        elif circle := graph.cycle_in(self.edges):
            raise Refusal([_circle(self, circle)])
        return [[self.nodes[name] for name in wave] for wave in graph.waves(self.edges)]

    def below(self, names: Sequence[str]) -> Layout:
        """Return what some nodes wait for, however far away, with them."""
        found: dict[str, None] = {}
        pending = list(names)
        while pending:
            name = pending.pop()
            if name not in found:
                found[name] = None
                pending.extend(self.edges[name])
        kept = [name for name in self.nodes if name in found]
        return Layout(
            self.homes, {name: self.nodes[name] for name in kept}, {name: self.edges[name] for name in kept}
        )


def opening_name(path: str) -> str:
    """Return the name of the node that decides how many instances a module has."""
    return f"{path}/$open"


def whole_name(path: str) -> str:
    """Return the name of the node that stands for everything in a module."""
    return f"{path}/$all"


def is_whole(name: str) -> bool:
    """Return whether a node stands for everything in a module."""
    return name.endswith("/$all")


def layout_of(stack: Stack, language: Language) -> Layout:
    """Return the tree of a stack.

    Raises:
        Refusal: with every unknown name (E2002), dynamic reference (E2003) and broken text (E2004), or with
            more modules than a plan may have (E2009).
    """
    own = graph.edges_of(stack.resources, language, stack.providers)
    if not stack.modules:
        plain = {
            name: Node(name, Kind.RESOURCE, "", name, each.span) for name, each in stack.resources.items()
        }
        return Layout({"": _root(stack)}, plain, own)
    homes = {home.path: home for home in _homes(stack, language)}
    nodes = {node.path: node for home in homes.values() for node in _nodes(home)}
    edges = {name: tuple(dict.fromkeys(_needs(node, homes, language))) for name, node in nodes.items()}
    return Layout(homes, nodes, edges)


def bare_layout(stack: Stack) -> Layout:
    """Return the tree of a stack without anything in it."""
    return Layout({"": _root(stack)}, {}, {})


def seen(templates: Sequence[Template], home: Home, language: Language) -> Iterator[str]:
    """Yield the nodes that expressions in a home name."""
    for template in templates:
        for leaf in leaves(template):
            if isinstance(leaf, Expression):
                # A set: sorted, its members are the same in every process.
                paths = language.compile(leaf.text).paths
                for path in sorted(paths, key=lambda path: tuple(step or "" for step in path)):
                    yield from _named(path, home)


def _named(path: tuple[str | None, ...], home: Home) -> Iterator[str]:
    match path:
        case ("inputs", str(name), *_) if home.path and name in home.stack.inputs:
            yield input_name(home.path, name)
        case ("inputs", *_) if home.path:
            yield from (input_name(home.path, name) for name in home.stack.inputs)
        case ("resources", str(name), *rest) if name in home.stack.modules:
            entry = home.stack.resources[name]
            yield from _outputs(home.at(name), home.stack.modules[name], _member(entry, rest))
        case ("resources", str(name), *_):
            yield home.at(name)
        case _:
            pass


def _member(entry: Resource, steps: Sequence[str | None]) -> str | None:
    """Return the output that is taken of a module, or of one of its instances; None for all of them."""
    place = 0 if entry.count is None and entry.each is None else 1
    return steps[place] if len(steps) > place else None


def _outputs(path: str, module: Module, name: str | None) -> Iterator[str]:
    yield opening_name(path)
    names = [name] if name is not None and name in module.stack.outputs else list(module.stack.outputs)
    yield from (output_name(path, each) for each in names)


def _root(stack: Stack) -> Home:
    return Home("", stack, providers={name: name for name in stack.providers})


def _homes(stack: Stack, language: Language) -> Iterator[Home]:
    """Yield the root and every module below it, each before those in it."""
    checked: dict[tuple[str, ...], None] = {}
    pending = [_root(stack)]
    count = 0
    while pending:
        home = pending.pop()
        yield home
        for name, module in reversed(home.stack.modules.items()):
            count += 1
            if count > limits.GRAPH_TASKS:
                many = f"the stack has more than `{limits.GRAPH_TASKS}` modules"
                raise refuse("E2009", many, "use fewer, or split the stack")
            files = tuple(module.stack.sources)
            if not files or files not in checked:
                checked[files] = None
                graph.edges_of(module.stack.resources, language)
            entry = home.stack.resources[name]
            meant = {
                inner: home.providers.get(module.providers.get(inner, inner), inner)
                for inner in module.stack.providers
            }
            down = handed_down(entry.lifecycle, home.lifecycle)
            pending.append(Home(home.at(name), module.stack, home.path, name, entry, module, meant, down))


def handed_down(own: Lifecycle, above: Lifecycle) -> Lifecycle:
    """Return the lifecycle of what lies in a module with a lifecycle of its own."""
    create_first = Replace.CREATE_FIRST in (own.replace, above.replace)
    return replace(
        own,
        protect=own.protect or above.protect,
        replace=Replace.CREATE_FIRST if create_first else Replace.DELETE_FIRST,
    )


def _nodes(home: Home) -> Iterator[Node]:
    """Yield the nodes of a home."""
    path, stack = home.path, home.stack
    span = home.entry.span if home.entry else None
    if path:
        spans = home.module.spans if home.module else {}
        yield Node(opening_name(path), Kind.OPENING, path, home.name, span)
        for name in stack.inputs:
            yield Node(input_name(path, name), Kind.INPUT, path, name, spans.get(name, span))
    for name, resource in stack.resources.items():
        if name not in stack.modules:
            yield Node(home.at(name), Kind.RESOURCE, path, name, resource.span)
    if path:
        for name, template in stack.outputs.items():
            first = next((leaf.span for leaf in leaves(template) if leaf.span), span)
            yield Node(output_name(path, name), Kind.OUTPUT, path, name, first)
        yield Node(whole_name(path), Kind.WHOLE, path, home.name, span)


def _needs(node: Node, homes: Mapping[str, Home], language: Language) -> Iterator[str]:
    """Yield the names of the nodes that a node waits for."""
    home = homes[node.home]
    parent = homes[home.parent]
    match node.kind:
        case Kind.RESOURCE:
            resource = home.stack.resources[node.name]
            yield from _of_entry(
                resource,
                (
                    *(resource.count, resource.each, resource.config, *resource.lifecycle.replace_when),
                    *graph.templates_of_checks(resource.checks),
                ),
                home,
                language,
            )
            setup = homes[""].stack.providers.get(home.providers.get(resource.provider, ""))
            if setup is not None:
                yield from seen((setup.config,), homes[""], language)
        case Kind.OPENING if home.entry is not None:
            yield from _of_entry(home.entry, (home.entry.count, home.entry.each), parent, language)
        case Kind.INPUT if home.module is not None:
            yield opening_name(home.path)
            yield from seen((home.module.inputs.get(node.name),), parent, language)
        case Kind.OUTPUT:
            yield opening_name(home.path)
            yield from seen((home.stack.outputs[node.name],), home, language)
        case Kind.WHOLE:
            yield opening_name(home.path)
            for name in home.stack.resources:
                at = home.at(name)
                yield whole_name(at) if name in home.stack.modules else at
        case _:
            raise AssertionError(f"`{node.home}` is no module")


def _of_entry(
    resource: Resource, templates: Sequence[Template], home: Home, language: Language
) -> Iterator[str]:
    """Yield what a resource of a home, or the opening of a module in it, waits for."""
    if home.path:
        yield opening_name(home.path)
    for name in resource.needs:
        at = home.at(name)
        yield whole_name(at) if name in home.stack.modules else at
    yield from seen(templates, home, language)


def _circle(layout: Layout, circle: Sequence[str]) -> Problem:
    nodes = [(name, layout.nodes[name].span) for name in circle]
    shown = " needs ".join(f"`{name}`" for name in (*circle, circle[0]))
    return Problem(
        "E2030",
        f"resources need each other in a circle that leads through a module: {shown}",
        at=nodes[0][1],
        others=tuple(Label(span, f"`{name}` is part of it") for name, span in nodes[1:] if span),
        help=("take one reference, one input or one `needs` out of the circle",),
    )
