"""YAML documents become positioned trees: YAML 1.2 core types, closed against every known trick.

Limits hold before or while the parser runs, so no text can exhaust the process. Nothing is raised
for a mistake in a document.
"""

from __future__ import annotations

import yaml

from dirigent.lang.source.building import Builder, LimitReached, parser_class
from dirigent.lang.source.prescan import BYTE_ORDER_MARK, decoded, suspicious, too_large
from dirigent.lang.source.syntax import Spot, Text, rephrased, unquoted
from dirigent.lang.tree import Items, Leaf, Members, Node
from dirigent.model.problem import Problem
from dirigent.model.source import Span

__all__ = ["decode", "load", "load_bytes"]


def decode(content: bytes, file: str) -> tuple[str | None, list[Problem]]:
    """Return the text of a file, or why it cannot be read (E1101, E1102)."""
    problems = too_large(len(content), file)
    if problems:
        return None, problems
    text, problems = decoded(content, file)
    return (None, problems) if problems else (text, [])


def load_bytes(content: bytes, file: str) -> tuple[Node | None, list[Problem]]:
    """Return the tree of a file's bytes, as `load` does."""
    text, problems = decode(content, file)
    return (None, problems) if text is None else load(text, file)


def load(text: str, file: str) -> tuple[Node | None, list[Problem]]:
    """Return the tree of a document and every problem of its form.

    Without a tree it could not be read to its end. With a tree and errors it can be checked on, so
    that all mistakes are shown at once, but must not be used.
    """
    problems: list[Problem] = []
    if text.startswith(BYTE_ORDER_MARK):
        at = Span(file, 1, 1, 1, 1)
        problems.append(
            Problem(
                "W1101", "the file begins with a byte order mark", at=at, help=("save it as UTF-8 without",)
            )
        )
        text = text[1:]
    fatal = too_large(len(text), file) or suspicious(text, file) or too_large(len(text.encode()), file)
    if fatal:
        return None, problems + fatal
    root = _parse(text, file, problems)
    if root is not None:
        problems += _cut_expressions(root, Text(text.splitlines(), file))
    return root, problems


def _parse(text: str, file: str, problems: list[Problem]) -> Node | None:
    builder = Builder(file, problems)
    try:
        for event in yaml.parse(text, Loader=parser_class()):
            builder.take(event)
    except LimitReached as reached:
        problems.append(reached.problem)
        return None
    except yaml.MarkedYAMLError as error:
        known = Text(
            text.splitlines(),
            file,
            builder.last_plain,
            builder.last_start,
            builder.last_end,
            builder.bracket,
        )
        problems.append(rephrased(error, known))
        return None
    except yaml.YAMLError as error:
        at = Span(file, 1, 1, 1, 1)
        problems.append(Problem("E1110", f"not valid YAML: {error}", at=at))
        return None
    root = builder.root
    if root is None or (isinstance(root, Leaf) and root.value is None and not root.quoted):
        at = Span(file, 1, 1, 1, 1)
        problems.append(
            Problem("E1104", "the document is empty", at=at, help=("`dirigent init` writes a first one",))
        )
        return None
    return root


def _cut_expressions(root: Node, text: Text) -> list[Problem]:
    """Find plain scalars that begin as an expression and were cut short by a ` #`."""
    found: list[Problem] = []
    pending: list[Node] = [root]
    while pending:
        node = pending.pop()
        if isinstance(node, Members):
            pending.extend(member.node for member in node)
        elif isinstance(node, Items):
            pending.extend(node.items)
        elif isinstance(node.value, str) and not node.quoted and _cut(node.value, node.span, text):
            found.append(unquoted(Spot(node.span.line - 1, node.span.column - 1), text))
    return found


def _cut(value: str, span: Span, text: Text) -> bool:
    if not value.startswith("${") or value.endswith("}"):
        return False
    return text.line(span.end_line - 1)[span.end_column - 1 :].lstrip().startswith("#")
