"""Commands about documents: `init`, `check`, `schema`."""

from __future__ import annotations

from pathlib import Path

import click

from dirigent.app import TYPES
from dirigent.cli import schemas, templates, wire
from dirigent.cli.exits import Exit
from dirigent.cli.session import given_by, place
from dirigent.cli.shell import (
    answering,
    complain,
    note,
    placed,
    say,
    say_json,
    with_inputs,
    with_json,
)
from dirigent.lang.stack import stack_schema
from dirigent.model.problem import Problem, refuse
from dirigent.service import stacks


@click.command()
@click.argument("directory", default=".", type=click.Path(file_okay=False))
@click.option("--name", help="The name of the stack (default: that of the folder).")
@answering
def init(directory: str, name: str | None) -> int:
    """Write a new stack into DIRECTORY. Nothing that exists is overwritten."""
    folder = Path(directory)
    chosen = name or templates.name_from(folder.resolve().name)
    files = templates.stack_files(chosen)
    standing = [path for path in files if (folder / path).exists()]
    if standing:
        raise refuse(
            "E7003",
            f"`{folder / standing[0]}` is there already",
            "choose another folder, or remove the file first; nothing was written",
        )
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")
        say(f"wrote {folder / path}")
    there = "" if directory == "." else f" -C {directory}"
    say(f"next: dirigent check{there}, then dirigent up{there}")
    return Exit.DONE


@click.command()
@click.argument("file", required=False, type=click.Path())
@placed
@with_inputs
@with_json
@answering
def check(file: str | None, *, as_json: bool, **options: object) -> int:
    """Check FILE: a stack, or a naked Open Workflow document. Nothing is touched."""
    where = place({**options, "stack": file or options["stack"]})
    if stacks.is_workflow(where.stack_file):
        program, warnings = stacks.load_workflow(where.stack_file)
        what = f"workflow {program.namespace}/{program.name}:{program.version}"
    else:
        loaded = stacks.load_stack(where.stack_file, TYPES)
        found, warnings = loaded.stack, loaded.warnings
        given = given_by(options, found)
        if given:
            stacks.resolved(found, given)
        what = (
            f"stack {found.name}: {len(found.resources)} resources, {len(found.workflows)} workflows, "
            f"{len(found.inputs)} inputs"
        )
    return _checked(what, where.stack_file, warnings, as_json=as_json)


def _checked(what: str, file: Path, warnings: tuple[Problem, ...], *, as_json: bool) -> int:
    if as_json:
        say_json({"file": str(file), "what": what, "problems": [wire.problem(each) for each in warnings]})
    else:
        if warnings:
            complain(warnings)
        say(f"{file}: ok ({what})")
    return Exit.DONE


@click.command()
@click.option(
    "--of", "what", default="stack", help="`stack`, or an output: " + ", ".join(schemas.NAMES) + "."
)
@answering
def schema(what: str) -> int:
    """Print a JSON Schema: of the stack file for editors, or of what `--json` prints."""
    if what == "stack":
        say_json(stack_schema(TYPES))
        note("tip: save it and put `# yaml-language-server: $schema=FILE` on top of the stack file")
    elif what in schemas.NAMES:
        say_json(schemas.schema_of(what))
    else:
        raise click.UsageError(f"`{what}` has no schema; there are: stack, {', '.join(schemas.NAMES)}")
    return Exit.DONE
