"""Read documents and values from disk: naked workflow files, and what the user gave."""

from __future__ import annotations

from pathlib import Path

from dirigent.jq import LANGUAGE
from dirigent.lang.source import load, load_bytes
from dirigent.lang.tree import Members, plain
from dirigent.lang.workflow.document import read_naked
from dirigent.model import limits
from dirigent.model.problem import Problem, Refusal, refuse
from dirigent.model.program import Program
from dirigent.model.values import Value


def load_workflow(path: Path) -> tuple[Program, tuple[Problem, ...]]:
    """Return the program of a file that holds one Open Workflow document, and its warnings."""
    program, problems = read_naked(text_of(path), str(path), LANGUAGE)
    if program is None:
        raise Refusal(problems)
    return program, tuple(problems)


def text_of(path: Path) -> str:
    """Return the text of a document. Raises `Refusal`."""
    text, problems = decoded(content_of(path), str(path))
    if text is None:
        raise Refusal(problems)
    return text


def is_workflow(path: Path) -> bool:
    """Return whether a file looks like an Open Workflow document rather than a stack."""
    text = text_or_none(path)
    node, _ = load(text, str(path)) if text is not None else (None, [])
    return isinstance(node, Members) and "document" in node.members and "stack" not in node.members


def value_of(path: Path) -> Value:
    """Return what a YAML or JSON file holds. Raises `Refusal`."""
    node, problems = load_bytes(content_of(path, "paths start from where the command is given"), str(path))
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


def content_of(path: Path, remedy: str = "") -> bytes:
    """Return the bytes of a document, and one more where there are too many. Raises `Refusal` (E7001).

    The `remedy` is for a file that is not there; without one it is that of a stack.
    """
    try:
        with path.open("rb") as file:
            # One byte more than the limit shows that the limit is exceeded, whatever the file's size.
            return file.read(limits.DOCUMENT_BYTES + 1)
    except OSError as failure:
        words = (failure.strerror or "it cannot be read").lower()
        raise refuse("E7001", f"`{path}`: {words}", *_remedies(failure, remedy)) from failure


def _remedies(failure: OSError, remedy: str) -> tuple[str, ...]:
    match failure:
        case PermissionError():
            return ("let this user read it: `ls -l` shows whose it is",)
        case IsADirectoryError():
            return ("name a file in it",)
        case _ if remedy:
            return (remedy,)
        case _:
            return (
                "name the file with `-s FILE`, or start in the folder of a `stack.yaml`",
                "`dirigent init` writes a new stack",
            )


def decoded(content: bytes, file: str) -> tuple[str | None, list[Problem]]:
    """Return the text of a document, or the problems of its bytes."""
    try:
        return content.decode(), []
    except UnicodeDecodeError:
        _, problems = load_bytes(content, file)
        return None, problems


def text_or_none(path: Path) -> str | None:
    """Return the text of a file, None where it cannot be read as text."""
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return None
