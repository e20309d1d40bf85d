"""Which test files are meant: those that are named, and all in the folders that are named."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from dirigent.model import limits
from dirigent.model.problem import refuse

ENDINGS: Final = (".test.yaml", ".test.yml", ".test.json")


def found_in(folder: Path, names: Sequence[str]) -> list[Path]:
    """Return the test files of names below a folder, once each.

    Raises `Refusal`: E6015 for a name that is not there, a folder without test files, or with too many.
    """
    found: dict[Path, None] = {}
    for name in names:
        path = folder / name
        if not path.exists():
            raise refuse(
                "E6015",
                f"there is no test file `{name}`",
                "paths start from the folder of the command; a folder stands for all test files in it",
            )
        if not path.is_dir():
            found.setdefault(path)
            continue
        before = len(found)
        for each in _below(path):
            found.setdefault(each)
            if len(found) > limits.TRIAL_FILES:
                raise refuse(
                    "E6015",
                    f"`{name}` has more than {limits.TRIAL_FILES} test files",
                    "name a folder further down",
                )
        if len(found) == before:
            raise refuse(
                "E6015",
                f"`{name}` has no test files",
                f"they end with `{ENDINGS[0]}`; name one, or make one of a run: `dirigent test --record RUN`",
            )
    return list(found)


def _below(folder: Path) -> Iterator[Path]:
    """Yield test files in order of their names; hidden folders are passed over."""
    for root, folders, files in os.walk(folder):
        folders[:] = sorted(each for each in folders if not each.startswith("."))
        yield from (Path(root) / each for each in sorted(files) if each.endswith(ENDINGS))
