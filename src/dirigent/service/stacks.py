"""Read stacks from disk, with the inputs that the user gave."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from dirigent.jq import LANGUAGE
from dirigent.lang.inputs import Given, resolve_inputs
from dirigent.lang.schema import SCHEMAS
from dirigent.lang.stack import Offers, StackContext, TypeShape, nothing_known, read_stack
from dirigent.lang.tree import Node
from dirigent.lang.workflow.document import read_workflow
from dirigent.model.problem import Problem, Refusal
from dirigent.model.program import Program
from dirigent.model.record import dataclass
from dirigent.model.stack import Stack
from dirigent.model.values import Value
from dirigent.service.documents import content_of, decoded, text_or_none, values_of
from dirigent.settings import INPUT_PREFIX


@dataclass(frozen=True, slots=True)
class Loaded:
    """A stack that was read without errors; `warnings` are what remains to be said of it."""

    stack: Stack
    warnings: tuple[Problem, ...] = ()


def load_stack(path: Path, types: Mapping[str, TypeShape], offers: Offers = nothing_known) -> Loaded:
    """Return a stack. Raises `Refusal` with every problem of its files (E1xxx), and of its providers.

    `types` are ours; `offers` tells of those of its providers.
    """
    return read_loaded(content_of(path), Source(str(path), path.parent), types, offers)


@dataclass(frozen=True, slots=True)
class Source:
    """Where a stack comes from: its file as it is shown, the folder that its paths start from, and a reader.

    `read` returns the text of a file of that folder, None where there is none.
    """

    shown: str
    folder: Path
    read: Callable[[Path], str | None] = text_or_none


def read_loaded(content: bytes, source: Source, types: Mapping[str, TypeShape], offers: Offers) -> Loaded:
    """Return the stack of a file's content. Raises `Refusal` as `load_stack` does."""
    text, problems = decoded(content, source.shown)
    if text is None:
        raise Refusal(problems)

    def read_file(name: str) -> str | None:
        # Relative paths start from the folder of the stack, whatever directory the user stands in.
        return source.read(source.folder / name)

    context = StackContext(types, LANGUAGE, SCHEMAS, read_file, _read_workflow, offers)
    stack, problems = read_stack(text, source.shown, str(source.folder.resolve()), context)
    errors = [problem for problem in problems if problem.severity == "error"]
    if stack is None or errors:
        raise Refusal(problems)
    return Loaded(stack, tuple(problems))


def _read_workflow(node: Node, file: str, text: str) -> tuple[Program | None, list[Problem]]:
    return read_workflow(node, file, text, LANGUAGE)


def given_inputs(
    flags: Mapping[str, str], files: tuple[Path, ...], environment: Mapping[str, str], stack: Stack
) -> dict[str, Given]:
    """Return what the user gave: flags over files over the environment.

    `DIRIGENT_INPUT_NAME` gives input `name`; letter case and `-` for `_` make no difference there.
    """
    return given_values(flags, {str(path): values_of(path) for path in files}, environment, stack)


def given_values(
    flags: Mapping[str, str],
    files: Mapping[str, Mapping[str, Value]],
    environment: Mapping[str, str],
    stack: Stack,
) -> dict[str, Given]:
    """Return what the user gave, as `given_inputs` does; `files` have been read."""
    names = {name.lower().replace("-", "_"): name for name in stack.inputs}
    given: dict[str, Given] = {}
    for variable, text in environment.items():
        name = names.get(variable.removeprefix(INPUT_PREFIX).lower())
        if variable.startswith(INPUT_PREFIX) and name is not None:
            given[name] = Given(text, variable, raw=True)
    for path, values in files.items():
        given.update({name: Given(value, path) for name, value in values.items()})
    given.update({name: Given(text, "--input", raw=True) for name, text in flags.items()})
    return given


def resolved(stack: Stack, given: Mapping[str, Given]) -> dict[str, Value]:
    """Return the value of every input. Raises `Refusal` with every one that is missing or wrong."""
    values, problems = resolve_inputs(stack.inputs, given, SCHEMAS)
    if problems:
        raise Refusal(problems)
    return values
