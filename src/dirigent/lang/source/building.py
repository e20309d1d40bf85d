"""From the parser's events to a positioned tree, with the limits enforced while parsing.

Our own stack instead of the parser's composer: the composer is recursive, and it knows no places.
"""

from __future__ import annotations

from dataclasses import field
from typing import Final

import yaml
from yaml import events

from dirigent.lang.source.scalars import NumberRefused, resolve
from dirigent.lang.source.syntax import Spot
from dirigent.lang.tree import Items, Leaf, Member, Members, Node
from dirigent.model import limits
from dirigent.model.problem import Label, Problem
from dirigent.model.record import dataclass
from dirigent.model.source import Span

_KEY_CUT: Final = 60


class LimitReached(Exception):
    """Reading stops here; `problem` says why."""

    def __init__(self, problem: Problem) -> None:
        """Keep the problem."""
        super().__init__(problem.message)
        self.problem = problem


@dataclass(frozen=True, slots=True)
class _Built:
    """A finished node with its number of nodes and of levels, for the limits on aliases."""

    node: Node
    size: int = 1
    height: int = 0


@dataclass(slots=True)
class _Open:
    """A collection whose end has not come. In a mapping, `key` is the key that waits for its value."""

    start: Span
    mapping: bool
    flow: bool
    anchor: str | None
    items: list[Node] = field(default_factory=list)
    members: dict[str, Member] = field(default_factory=dict)
    key: tuple[str, Span] | None = None
    dropped: bool = False
    size: int = 1
    height: int = 1
    last: Span | None = None

    def awaits_key(self) -> bool:
        """Return whether the next node is a key."""
        return self.mapping and self.key is None


class Builder:
    """Takes events, keeps what was found. `root` is set when the document was whole."""

    def __init__(self, file: str, problems: list[Problem]) -> None:
        """Begin an empty document."""
        self.root: Node | None = None
        self.last_plain = ""
        self.last_start = Spot(0, 0)
        self.last_end = Spot(0, 0)
        self._file = file
        self._problems = problems
        self._open: list[_Open] = []
        self._anchors: dict[str, _Built | None] = {}
        self._documents = 0
        self._aliases = 0
        self._nodes = 0

    @property
    def bracket(self) -> Spot | None:
        """Return where the innermost collection in brackets begins that is still open."""
        flow = next((opened.start for opened in reversed(self._open) if opened.flow), None)
        return Spot(flow.line - 1, flow.column - 1) if flow is not None else None

    def take(self, event: events.Event) -> None:
        """Take the next event, or raise `LimitReached`."""
        if isinstance(event, events.ScalarEvent):
            self._scalar(event)
        elif isinstance(event, events.MappingStartEvent | events.SequenceStartEvent):
            self._begin(event)
        elif isinstance(event, events.MappingEndEvent | events.SequenceEndEvent):
            self._end(event)
        elif isinstance(event, events.AliasEvent):
            self._alias(event)
        elif isinstance(event, events.DocumentStartEvent):
            self._document(event)

    def _document(self, event: events.DocumentStartEvent) -> None:
        self._documents += 1
        if self._documents > 1:
            raise LimitReached(
                Problem(
                    "E1109",
                    "a file holds one document, but `---` begins a second one",
                    at=_span(event, self._file),
                    label="begins here",
                    help=("put it into a file of its own",),
                )
            )

    def _scalar(self, event: events.ScalarEvent) -> None:
        span = _span(event, self._file)
        text: str = event.value
        self._grow(1, span)
        if len(text) > limits.SCALAR_CHARACTERS:
            message = (
                f"a text has {len(text):,} characters, but at most {limits.SCALAR_CHARACTERS:,} are read"
            )
            raise LimitReached(Problem("E1108", message, at=span.beginning, help=("move it into a file",)))
        if event.tag is not None:
            self._problems.append(_tag_refused(event.tag, span))
        quoted = bool(event.style)
        if not quoted:
            self.last_plain = text
            self.last_start = Spot(span.line - 1, span.column - 1)
            self.last_end = Spot(span.end_line - 1, span.end_column - 1)
        if self._open and self._open[-1].awaits_key():
            self._key(self._open[-1], text, span, quoted=quoted)
            if event.anchor is not None:
                self._anchors[event.anchor] = _Built(Leaf(text, span, quoted=True))
            return
        built = _Built(self._leaf(text, span, quoted=quoted))
        if event.anchor is not None:
            self._anchors[event.anchor] = built
        self._add(built, span)

    def _leaf(self, text: str, span: Span, *, quoted: bool) -> Leaf:
        if quoted:
            return Leaf(text, span, quoted=True)
        try:
            return Leaf(resolve(text), span)
        except NumberRefused as refused:
            remedy = f'write "{text}" if it is text' + (
                f", {int(text)} if it is a decimal number"
                if refused.code == "E1125" and len(text) < _KEY_CUT
                else ""
            )
            self._problems.append(Problem(refused.code, str(refused), at=span, help=(remedy,)))
            return Leaf(text, span)

    def _key(self, opened: _Open, text: str, span: Span, *, quoted: bool) -> None:
        shown = text[:_KEY_CUT]
        if not quoted and text == "<<":
            self._note(
                "E1121",
                "merge keys (`<<`) are not part of YAML 1.2",
                span,
                "write the entries out, or repeat them by `count:` or `each:`",
            )
        elif not quoted and (not text or text[0] in "~-+.0123456789ntfNTF") and not _is_text(text):
            what = f'put it in quotes: "{shown}"' if text else 'write the key, or "" if it is empty'
            self._note("E1123", f"the key `{shown}` is not text", span, what)
        first = opened.members.get(text)
        if first is not None:
            self._problems.append(
                Problem(
                    "E1120",
                    f"the key `{shown}` stands here twice",
                    at=span,
                    label="again",
                    others=(Label(first.key_span, "first here"),),
                    help=("remove one of them, or rename it",),
                )
            )
            opened.dropped = True
        opened.key = (text, span)

    def _begin(self, event: events.MappingStartEvent | events.SequenceStartEvent) -> None:
        span = _span(event, self._file)
        self._grow(1, span)
        if len(self._open) >= limits.DOCUMENT_DEPTH:
            raise LimitReached(_too_deep(span))
        if event.tag is not None:
            self._problems.append(_tag_refused(event.tag, span))
        if event.anchor is not None:
            self._anchors[event.anchor] = None
        mapping = isinstance(event, events.MappingStartEvent)
        self._open.append(_Open(span, mapping, bool(event.flow_style), event.anchor))

    def _end(self, event: events.MappingEndEvent | events.SequenceEndEvent) -> None:
        closed = self._open.pop()
        last = _span(event, self._file) if closed.flow or closed.last is None else closed.last
        start = closed.start
        span = Span(start.file, start.line, start.column, last.end_line, last.end_column)
        node: Node = Members(closed.members, span) if closed.mapping else Items(tuple(closed.items), span)
        built = _Built(node, closed.size, closed.height)
        if closed.anchor is not None:
            self._anchors[closed.anchor] = built
        if self._open and self._open[-1].awaits_key():
            self._odd_key(node, self._open[-1])
        else:
            self._add(built, span)

    def _odd_key(self, node: Node, parent: _Open) -> None:
        """Refuse a collection as a key, which is most often a template of another language."""
        template = isinstance(node, Members) and parent.flow and len(node.members) == 1
        self._note(
            "E1124",
            "a key must be text, not a list or a mapping",
            node.span.beginning,
            'if this is an expression, write it as "${ ... }"' if template else "write the key as text",
        )
        parent.key = ("", node.span)
        parent.dropped = True

    def _alias(self, event: events.AliasEvent) -> None:
        span = _span(event, self._file)
        name = str(event.anchor)
        self._aliases += 1
        if self._aliases > limits.DOCUMENT_ALIASES:
            message = f"the document has more than {limits.DOCUMENT_ALIASES} aliases"
            raise LimitReached(Problem("E1106", message, at=span, help=("write some of them out",)))
        built = self._anchors.get(name)
        if built is None:
            inside = name in self._anchors
            words = (
                f"`*{name}` stands inside of what it refers to"
                if inside
                else f"no anchor `&{name}` comes before this"
            )
            self._note(
                "E1119" if inside else "E1118", words, span, 'put it in quotes if it is text, as "*.txt"'
            )
            built = _Built(Leaf(f"*{name}", span, quoted=True))
        self._grow(built.size, span)
        if len(self._open) + built.height > limits.DOCUMENT_DEPTH:
            raise LimitReached(_too_deep(span))
        if self._open and self._open[-1].awaits_key():
            self._alias_key(built.node, span)
        else:
            self._add(built, span)

    def _alias_key(self, node: Node, span: Span) -> None:
        if isinstance(node, Leaf) and isinstance(node.value, str):
            self._key(self._open[-1], node.value, span, quoted=True)
        else:
            self._note("E1123", "the alias gives a key that is not text", span, "write the key out")
            self._open[-1].key = ("", span)
            self._open[-1].dropped = True

    def _add(self, built: _Built, span: Span) -> None:
        if not self._open:
            self.root = built.node
            return
        parent = self._open[-1]
        parent.size += built.size
        parent.height = max(parent.height, built.height + 1)
        parent.last = span
        if parent.key is None:
            parent.items.append(built.node)
            return
        key, key_span = parent.key
        if not parent.dropped:
            parent.members[key] = Member(key, key_span, built.node)
        parent.key, parent.dropped = None, False

    def _grow(self, nodes: int, span: Span) -> None:
        self._nodes += nodes
        if self._nodes > limits.DOCUMENT_NODES:
            message = f"the document has more than {limits.DOCUMENT_NODES:,} values, aliases written out"
            raise LimitReached(Problem("E1107", message, at=span.beginning, help=("split it",)))

    def _note(self, code: str, message: str, span: Span, remedy: str) -> None:
        self._problems.append(Problem(code, message, at=span, help=(remedy,)))


def parser_class() -> type[yaml.CSafeLoader | yaml.SafeLoader]:
    """Return libyaml's parser, or the one in Python where libyaml is missing."""
    return yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader


def _tag_refused(tag: str, span: Span) -> Problem:
    shown = tag.replace("tag:yaml.org,2002:", "!!")[:_KEY_CUT]
    return Problem(
        "E1122", f"tags such as `{shown}` are not supported", span.beginning, help=("remove the tag",)
    )


def _span(event: events.Event, file: str) -> Span:
    start, end = event.start_mark, event.end_mark
    if start is None or end is None:
        return Span(file, 1, 1, 1, 1)
    return Span(file, start.line + 1, start.column + 1, end.line + 1, end.column + 1)


def _is_text(plain: str) -> bool:
    try:
        return isinstance(resolve(plain), str)
    except NumberRefused:
        return False


def _too_deep(span: Span) -> Problem:
    message = f"the document is nested more than {limits.DOCUMENT_DEPTH} levels deep"
    return Problem("E1105", message, at=span.beginning, label="one level too many", help=("make it flatter",))
