"""A workflow in Python on the command line: `flows.py:place`, below the folder of the command."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from dirigent.app.authors import Authors
from dirigent.model.problem import refuse
from dirigent.model.program import Program
from dirigent.model.values import Value

NAMED: Final = re.compile(r"(?P<file>.+\.py):(?P<name>[A-Za-z_][\w.]*)")


def named(text: str) -> bool:
    """Return whether a text names a workflow in Python."""
    return NAMED.fullmatch(text) is not None


def program_of(folder: Path, text: str, given: Value) -> Program:
    """Return the program of a workflow in Python.

    Raises:
        Refusal: E7040 for a file that is not there or not below the folder, E4031 when it has no such
            workflow, E4033 when the input does not fit.
    """
    found = NAMED.fullmatch(text)
    file, name = (found["file"], found["name"]) if found else (text, "")
    path, root = (folder / file).resolve(), folder.resolve()
    if not path.is_file() or not path.is_relative_to(root):
        what = "is not below the folder of the command" if path.is_file() else "is no file"
        raise refuse(
            "E7040",
            f"`{file}` {what}",
            "name the file from the folder of the stack, or name the folder with `-C DIR`: a run that goes on"
            " later finds its module there",
        )
    module = ".".join(path.relative_to(root).with_suffix("").parts)
    authors = Authors((str(root),))
    reference = f"{module}:{name}"
    authors.check_input(reference, {} if given is None else given)
    return authors.program(reference)
