"""Types and their properties as text: what must stand, what may, what the provider decides, one example."""

from __future__ import annotations

import json
import re
import textwrap
from collections.abc import Iterator, Sequence
from typing import Final

from dirigent.cli.text.terminal import Terminal, columns, cut, padded, shown
from dirigent.lang.shape.outline import Outline
from dirigent.lang.stack.outside.telling import Told
from dirigent.model.values import Value

_PLAIN_KEY: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")
_WHOLE: Final = {"read": "DATA SOURCE", "open": "EPHEMERAL TYPE", "call": "FUNCTION"}
_WHAT_WIDTH: Final = 44
_TEXT_WIDTH_MOST: Final = 100


def types_text(types: Sequence[tuple[str, str, str]], terminal: Terminal) -> str:
    """Return the types, each with what it is, under the providers that they are of."""
    lines: list[str] = []
    for provider in dict.fromkeys(by for _, by, _ in types):
        rows = [(shown(kind), _line(text)) for kind, by, text in types if by == provider]
        title = f"OF THE PROVIDER {provider}" if provider else "DIRIGENT'S OWN"
        width = max(columns(kind) for kind, _ in rows)
        lines += ["", terminal.paint(title, "bold")]
        lines += [
            cut(f"  {padded(kind, width)}  {text}".rstrip(), max(terminal.width, 40)) for kind, text in rows
        ]
    return "\n".join(lines[1:])


def told_text(told: Told, terminal: Terminal) -> str:
    """Return one type, or a part of one."""
    return "\n".join(_told_lines(told, terminal)).rstrip()


def _told_lines(told: Told, terminal: Terminal) -> Iterator[str]:
    width = min(terminal.width, _TEXT_WIDTH_MOST)
    outline = told.outline
    name = ".".join((told.type or told.provider, *told.path))
    whole = _WHOLE.get(told.type.partition(".")[0], "TYPE") if told.type else "PROVIDER"
    kind = "PART" if told.path else whole
    yield f"{terminal.paint(kind, 'bold')}  {shown(name)}"
    if told.type and told.provider:
        yield f"{terminal.paint('OF THE PROVIDER', 'bold')}  {told.provider}"
    if told.path:
        yield f"{terminal.paint('WRITTEN AS', 'bold')}  {outline.what} ({', '.join(outline.said)})"
    if outline.deprecated:
        yield from _wrapped(f"deprecated: {outline.deprecated}", width, "")
    if outline.description:
        yield ""
        yield from _wrapped(outline.description, width, "")
    settable = [each for each in outline.inside if _settable(each)]
    decided = [each for each in outline.inside if not _settable(each)]
    where = "" if told.path else " under `with`"
    for title, listed in (
        (f"PROPERTIES{where}", sorted(settable, key=lambda each: "required" not in each.said)),
        ("BESIDE `with`", list(told.beside)),
        ("DECIDED BY THE PROVIDER", decided),
    ):
        if listed:
            yield ""
            yield terminal.paint(title, "bold")
            yield from _listed(listed, name, width, terminal)
    if told.example is not None and _settable(outline):
        yield ""
        yield terminal.paint("EXAMPLE", "bold")
        yield from (f"  {line}" for line in yaml_lines(told.example))


def _settable(outline: Outline) -> bool:
    return not outline.said or "required" in outline.said or "optional" in outline.said


def _listed(outlines: Sequence[Outline], path: str, width: int, terminal: Terminal) -> Iterator[str]:
    names = max(columns(shown(each.name)) for each in outlines)
    kinds = min(_WHAT_WIDTH, max(columns(each.what) for each in outlines))
    for each in outlines:
        name = padded(shown(each.name), names)
        kind = padded(cut(shown(each.what), kinds), kinds)
        said = ", ".join(word for word in each.said if word != "optional")
        yield f"  {terminal.paint(name, 'bold')}  {kind}  {said}".rstrip()
        if each.deprecated:
            yield from _wrapped(f"deprecated: {each.deprecated}", width, "      ")
        if each.description:
            yield from _wrapped(each.description, width, "      ")
        if each.inside:
            more = f"its parts: dirigent explain {path}.{each.name}"
            yield f"      {terminal.paint(shown(more), 'grey')}"


def _wrapped(text: str, width: int, indent: str) -> list[str]:
    return textwrap.wrap(
        _line(text), max(width, 40), initial_indent=indent, subsequent_indent=indent, break_on_hyphens=False
    )


def _line(text: str) -> str:
    return shown(" ".join(text.split()))


def yaml_lines(value: Value) -> list[str]:
    """Return a value as lines of YAML; an empty one stands in flow style."""
    if isinstance(value, dict) and value:
        lines: list[str] = []
        for key, inner in value.items():
            head = f"{key if _PLAIN_KEY.fullmatch(key) else json.dumps(key)}:"
            lines += _under(head, inner, "  ")
        return lines
    if isinstance(value, list) and value:
        return [line for each in value for line in _item(yaml_lines(each))]
    return [json.dumps(value, ensure_ascii=False)]


def _under(head: str, inner: Value, indent: str) -> list[str]:
    if isinstance(inner, dict | list) and inner:
        return [head, *(f"{indent}{line}" for line in yaml_lines(inner))]
    return [f"{head} {_scalar(inner)}"]


def _item(lines: list[str]) -> list[str]:
    first, *rest = lines
    return [f"- {first}", *(f"  {line}" for line in rest)]


def _scalar(value: Value) -> str:
    if isinstance(value, str) and _PLAIN_KEY.fullmatch(value) and value.lower() not in _WORDS:
        return value
    return json.dumps(value, ensure_ascii=False)


# What YAML would read as something else than text.
_WORDS: Final = frozenset({"true", "false", "null", "yes", "no", "on", "off", "y", "n"})
