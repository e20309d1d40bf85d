"""Read stacks and naked workflow files from disk, with the inputs that the user gave."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from dirigent.jq import LANGUAGE
from dirigent.lang.inputs import Given, resolve_inputs
from dirigent.lang.schema import SCHEMAS
from dirigent.lang.source import load, load_bytes
from dirigent.lang.stack import StackContext, TypeShape, read_stack
from dirigent.lang.tree import Members, Node, plain
from dirigent.lang.workflow.document import read_naked, read_workflow
from dirigent.model import limits
from dirigent.model.problem import Problem, Refusal, refuse
from dirigent.model.program import Program
from dirigent.model.record import dataclass
from dirigent.model.stack import Stack
from dirigent.model.values import Value

INPUT_PREFIX = "DIRIGENT_INPUT_"


@dataclass(frozen=True, slots=True)
class Loaded:
    """A stack that was read without errors; `warnings` are what remains to be said of it."""

    stack: Stack
    warnings: tuple[Problem, ...] = ()


def load_stack(path: Path, types: Mapping[str, TypeShape]) -> Loaded:
    """Return a stack. Raises `Refusal` with every problem of its files (E1xxx)."""
    content = _read(path)
    text, problems = _decoded(content, str(path))
    if text is None:
        raise Refusal(problems)
    folder = path.parent

    def read_file(name: str) -> str | None:
        # Relative paths start from the folder of the stack, whatever directory the user stands in.
        return _text_or_none(folder / name)

    context = StackContext(types, LANGUAGE, SCHEMAS, read_file, _read_workflow)
    stack, problems = read_stack(text, str(path), str(folder.resolve()), context)
    errors = [problem for problem in problems if problem.severity == "error"]
    if stack is None or errors:
        raise Refusal(problems)
    return Loaded(stack, tuple(problems))


def _read_workflow(node: Node, file: str, text: str) -> tuple[Program | None, list[Problem]]:
    return read_workflow(node, file, text, LANGUAGE)


def load_workflow(path: Path) -> tuple[Program, tuple[Problem, ...]]:
    """Return the program of a file that holds one Open Workflow document, and its warnings."""
    program, problems = read_naked(text_of(path), str(path), LANGUAGE)
    if program is None:
        raise Refusal(problems)
    return program, tuple(problems)


def text_of(path: Path) -> str:
    """Return the text of a document. Raises `Refusal`."""
    text, problems = _decoded(_read(path), str(path))
    if text is None:
        raise Refusal(problems)
    return text


def is_workflow(path: Path) -> bool:
    """Return whether a file looks like an Open Workflow document rather than a stack."""
    text = _text_or_none(path)
    node, _ = load(text, str(path)) if text is not None else (None, [])
    return isinstance(node, Members) and "document" in node.members and "stack" not in node.members


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


def value_of(path: Path) -> Value:
    """Return what a YAML or JSON file holds. Raises `Refusal`."""
    node, problems = load_bytes(_read(path), str(path))
    if node is None or problems:
        raise Refusal(problems)
    return plain(node)


def value_of_text(text: str, source: str) -> Value:
    """Return what a text on the command line means: YAML, of which JSON is a part; else the text itself."""
    node, problems = load(text, source)
    if node is None or problems:
        return text
    return plain(node)


def values_of(path: Path) -> dict[str, Value]:
    """Return the mapping that a YAML or JSON file holds. Raises `Refusal`."""
    value = value_of(path)
    if not isinstance(value, dict):
        raise refuse("E7002", f"`{path}` must hold a mapping of names to values")
    return value


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            # One byte more than the limit shows that the limit is exceeded, whatever the file's size.
            return file.read(limits.DOCUMENT_BYTES + 1)
    except OSError as failure:
        words = (failure.strerror or "it cannot be read").lower()
        raise refuse(
            "E7001",
            f"`{path}`: {words}",
            "name the file with `-s FILE`, or start in the folder of a `stack.yaml`",
            "`dirigent init` writes a new stack",
        ) from failure


def _decoded(content: bytes, file: str) -> tuple[str | None, list[Problem]]:
    """Return the text of a document, or the problems of its bytes."""
    try:
        return content.decode(), []
    except UnicodeDecodeError:
        _, problems = load_bytes(content, file)
        return None, problems


def _text_or_none(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return None
