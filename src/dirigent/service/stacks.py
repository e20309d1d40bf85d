"""Read stacks from disk, with the inputs that the user gave."""

from __future__ import annotations

from collections.abc import Mapping
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

INPUT_PREFIX = "DIRIGENT_INPUT_"


@dataclass(frozen=True, slots=True)
class Loaded:
    """A stack that was read without errors; `warnings` are what remains to be said of it."""

    stack: Stack
    warnings: tuple[Problem, ...] = ()


def load_stack(path: Path, types: Mapping[str, TypeShape], offers: Offers = nothing_known) -> Loaded:
    """Return a stack. Raises `Refusal` with every problem of its files (E1xxx), and of its providers.

    `types` are ours; `offers` tells of those of its providers.
    """
    content = content_of(path)
    text, problems = decoded(content, str(path))
    if text is None:
        raise Refusal(problems)
    folder = path.parent

    def read_file(name: str) -> str | None:
        # Relative paths start from the folder of the stack, whatever directory the user stands in.
        return text_or_none(folder / name)

    context = StackContext(types, LANGUAGE, SCHEMAS, read_file, _read_workflow, offers)
    stack, problems = read_stack(text, str(path), str(folder.resolve()), context)
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
    names = {name.lower().replace("-", "_"): name for name in stack.inputs}
    given: dict[str, Given] = {}
    for variable, text in environment.items():
        name = names.get(variable.removeprefix(INPUT_PREFIX).lower())
        if variable.startswith(INPUT_PREFIX) and name is not None:
            given[name] = Given(text, variable, raw=True)
    for path in files:
        given.update({name: Given(value, str(path)) for name, value in values_of(path).items()})
    given.update({name: Given(text, "--input", raw=True) for name, text in flags.items()})
    return given


def resolved(stack: Stack, given: Mapping[str, Given]) -> dict[str, Value]:
    """Return the value of every input. Raises `Refusal` with every one that is missing or wrong."""
    values, problems = resolve_inputs(stack.inputs, given, SCHEMAS)
    if problems:
        raise Refusal(problems)
    return values
