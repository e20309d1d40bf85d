"""The work of `init`, `check` and `schema`."""

from __future__ import annotations

import shlex
from pathlib import Path

import click

from dirigent.app.resources import TYPES
from dirigent.app.types.known import offers
from dirigent.cli import schemas
from dirigent.cli.answer import complain, problem_json
from dirigent.cli.exits import Exit
from dirigent.cli.given import Options
from dirigent.cli.output import note, say, say_json
from dirigent.cli.place import place
from dirigent.cli.stack.reading import given_by
from dirigent.cli.text import templates
from dirigent.lang.stack import Offer, Provided, declared_providers, stack_schema
from dirigent.lang.trial import trials_schema
from dirigent.model.problem import Problem, refuse
from dirigent.service import documents, stacks


def init(options: Options) -> int:
    """Write a new stack."""
    directory = options.text("directory")
    folder = Path(directory)
    name = options.text("name") or templates.name_from(folder.resolve().name)
    if templates.name_from(name) != name:
        raise refuse(
            "E7009",
            f"`{name}` cannot be the name of a stack",
            f"use small letters, digits and hyphens: `{templates.name_from(name)}`; nothing was written",
        )
    files = templates.stack_files(name)
    standing = [path for path in files if (folder / path).exists()]
    if standing:
        raise refuse(
            "E7003",
            f"`{folder / standing[0]}` is there already",
            "choose another folder, or remove the file first; nothing was written",
        )
    try:
        for path, text in files.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text, encoding="utf-8")
    except OSError as failure:
        words = (failure.strerror or "it cannot be written").lower()
        raise refuse("E7008", f"`{folder}`: {words}", "choose a folder that you may write to") from failure
    if options.as_json:
        say_json({"files": [str(folder / path) for path in files]})
        return Exit.DONE
    for path in files:
        say(f"wrote {folder / path}")
    there = "" if directory == "." else f" -C {shlex.quote(directory)}"
    say(f"next: dirigent check{there}, then dirigent up{there}")
    return Exit.DONE


def check(options: Options) -> int:
    """Check a document."""
    where = place(options, options.text("file"))
    if documents.is_workflow(where.stack_file):
        program, warnings = documents.load_workflow(where.stack_file)
        what = f"workflow {program.namespace}/{program.name}:{program.version}"
    else:
        loaded = stacks.load_stack(where.stack_file, TYPES, offers(where.folder, strict=False))
        found, warnings = loaded.stack, loaded.warnings
        given = given_by(options, found)
        if given:
            stacks.resolved(found, given)
        counts = (
            (len(found.resources), "resource"),
            (len(found.workflows), "workflow"),
            (len(found.inputs), "input"),
        )
        what = f"stack {found.name}: " + ", ".join(f"{n} {name}{'' if n == 1 else 's'}" for n, name in counts)
    file = str(where.stack_file)
    if options.as_json:
        say_json({"file": file, "what": what, "problems": [problem_json(each) for each in warnings]})
        return Exit.DONE
    if warnings:
        complain(warnings)
    say(f"{file}: ok ({what})")
    return Exit.DONE


def schema(options: Options) -> int:
    """Print a JSON Schema."""
    name = options.text("what")
    if name == "stack":
        say_json(stack_schema(TYPES, _provided(options)))
        if not options.as_json:
            note("tip: save it and put `# yaml-language-server: $schema=FILE` on top of the stack file")
    elif name == "test-file":
        say_json(trials_schema())
        if not options.as_json:
            note("tip: save it and put `# yaml-language-server: $schema=FILE` on top of a test file")
    elif name in schemas.NAMES:
        say_json(schemas.schema_of(name))
    else:
        raise click.UsageError(
            f"`{name}` has no schema; there are: stack, test-file, {', '.join(schemas.NAMES)}"
        )
    return Exit.DONE


def _provided(options: Options) -> Provided:
    """Return what the providers of the stack offer, where there is a stack; what is not known is said."""
    where = place(options)
    named = bool(options.text("stack"))
    text = documents.text_of(where.stack_file) if named or where.stack_file.exists() else None
    declared = declared_providers(text, str(where.stack_file)) if text is not None else {}
    found = offers(where.folder, strict=False)(declared)
    problems = [each for each in found.values() if isinstance(each, Problem)]
    if problems:
        complain(problems)
    places = {name: each.span for name, each in declared.items() if each.span is not None}
    return Provided(places, {name: each for name, each in found.items() if isinstance(each, Offer)})
