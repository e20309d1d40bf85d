"""The work of `explain`: what a stack may hold, told from the same shapes that check it."""

from __future__ import annotations

from pathlib import Path

from dirigent.app.resources import TYPES
from dirigent.app.types.known import offers
from dirigent.cli.answer import Json, complain
from dirigent.cli.exits import Exit
from dirigent.cli.given import Options
from dirigent.cli.output import say, say_json
from dirigent.cli.place import place
from dirigent.cli.text.outlines import told_text, types_text
from dirigent.cli.text.terminal import out
from dirigent.lang.shape.outline import Outline
from dirigent.lang.stack import Offer, declared_providers, own_types
from dirigent.lang.stack.outside.telling import Known, Told
from dirigent.model.problem import Problem
from dirigent.service import documents


def explain(options: Options) -> int:
    """Tell of the types of a stack, or of one."""
    known, problems = _known(options)
    if problems:
        complain(problems)
    wanted = options.text("what")
    if wanted:
        told = known.tell(wanted)
        if options.as_json:
            say_json(_told_json(told))
        else:
            say(told_text(told, out()))
        return Exit.DONE
    described = [(kind, provider, shape.description) for kind, provider, shape in known.types()]
    if options.as_json:
        say_json(
            {"types": [{"type": kind, "provider": by, "description": text} for kind, by, text in described]}
        )
    else:
        say(types_text(described, out()))
    return Exit.DONE


def _known(options: Options) -> tuple[Known, list[Problem]]:
    """Return the types that a stack may use: without a stack, ours."""
    where = place(options)
    text = _text(where.stack_file, named=bool(options.text("stack")))
    declared = declared_providers(text, str(where.stack_file)) if text is not None else {}
    found = offers(where.folder, strict=False)(declared)
    known = {name: each for name, each in found.items() if isinstance(each, Offer)}
    unknown = tuple(name for name in declared if name not in known)
    return Known(own_types(TYPES), known, unknown), [
        each for each in found.values() if isinstance(each, Problem)
    ]


def _text(file: Path, *, named: bool) -> str | None:
    return documents.text_of(file) if named or file.exists() else None


def _told_json(told: Told) -> Json:
    return {
        "type": told.type,
        "provider": told.provider,
        "path": list(told.path),
        "beside": [_outline_json(each) for each in told.beside],
        "example": _plain(told.example),
        **_outline_json(told.outline),
    }


def _outline_json(outline: Outline) -> dict[str, Json]:
    return {
        "name": outline.name,
        "what": outline.what,
        "said": list(outline.said),
        "description": outline.description,
        "deprecated": outline.deprecated,
        "properties": [_outline_json(each) for each in outline.inside],
    }


def _plain(value: object) -> Json:
    match value:
        case dict():
            return {str(name): _plain(each) for name, each in value.items()}
        case list():
            return [_plain(each) for each in value]
        case str() | int() | float() | bool() | None:
            return value
        case _:
            return str(value)
