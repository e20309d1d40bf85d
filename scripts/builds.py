"""Bring two more providers for the tests: one built by Go, and a framework to write one in Python.

    python scripts/builds.py [FOLDER]

Both are pinned by hashes: `scripts/built/go.sum`, `requirements/framework.txt`. Where Go is not installed,
the first is left out. FOLDER is `build/providers` when none is named, where the tests look.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import venv
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[1]
SOURCES: Final = ROOT / "scripts" / "built"
BUILT: Final = ("github.com/terraform-providers/terraform-provider-postgresql",)
FRAMEWORK: Final = ROOT / "requirements" / "framework.txt"


def build(folder: Path) -> list[Path]:
    """Return the programs that Go has built, none where it is not installed."""
    go = shutil.which("go")
    if go is None:
        print("Go is not installed: no provider is built")
        return []
    folder.mkdir(parents=True, exist_ok=True)
    found = []
    for package in BUILT:
        program = folder / package.rpartition("/")[2]
        words = [go, "build", "-mod=readonly", "-buildvcs=false", "-o", str(program), package]
        subprocess.run(words, check=True, cwd=SOURCES)
        found.append(program)
    return found


def framework(folder: Path) -> Path:
    """Return the interpreter of an environment in which providers can be written in Python.

    It is one of its own: the framework wants another release of protobuf than we do.
    """
    place = folder / "framework"
    venv.create(place, with_pip=True, clear=True)
    python = place / "bin" / "python"
    words = [str(python), "-m", "pip", "install", "-q", "--no-deps", "--require-hashes", "-r", str(FRAMEWORK)]
    subprocess.run(words, check=True)
    return python


if __name__ == "__main__":
    where = Path(sys.argv[1]) if sys.argv[1:] else ROOT / "build" / "providers"
    for each in (*build(where.resolve()), framework(where.resolve())):
        print(each.relative_to(where.resolve()))
