"""Bring more providers for the tests: some that Go builds, a simulator, and a framework for one in Python.

    python scripts/builds.py [FOLDER] [--docker]

All are pinned by hashes: `go.sum` in the folders of `scripts/built`, `requirements/framework.txt`. Where
Go is not installed, or too old for one, that is left out. `--docker` builds the provider of Docker as well,
which takes four minutes of a processor. FOLDER is `build/providers` when none is named: there the tests look.
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import venv
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[1]
SOURCES: Final = ROOT / "scripts" / "built"
# Packages by the folder whose `go.mod` pins them; the last part of each is the name of the program.
BUILT: Final = (
    ("", "github.com/terraform-providers/terraform-provider-postgresql"),
    ("", "github.com/terraform-providers/terraform-provider-local"),
    ("simulator", "github.com/vmware/govmomi/vcsim"),
    ("time", "github.com/hashicorp/terraform-provider-time"),
)
DOCKER: Final = ("docker", "github.com/terraform-providers/terraform-provider-docker")
FRAMEWORK: Final = ROOT / "requirements" / "framework.txt"
_VERSION: Final = re.compile(r"go ?(\d+)\.(\d+)(?:\.(\d+))?")


def build(folder: Path, wanted: tuple[tuple[str, str], ...] = BUILT) -> list[Path]:
    """Return the programs that Go has built, none where it is not installed."""
    go = shutil.which("go")
    if go is None:
        print("Go is not installed: no provider is built")
        return []
    folder.mkdir(parents=True, exist_ok=True)
    here = version_in(
        subprocess.run([go, "env", "GOVERSION"], check=True, capture_output=True, text=True).stdout
    )
    found = []
    for place, package in wanted:
        program = folder / package.rpartition("/")[2]
        least = version_in((SOURCES / place / "go.mod").read_text(encoding="utf-8"))
        if here < least:
            print(f"{program.name} wants Go {'.'.join(map(str, least))}, which is not here: it is not built")
            continue
        words = [go, "build", "-mod=readonly", "-buildvcs=false", "-o", str(program), package]
        subprocess.run(words, check=True, cwd=SOURCES / place)
        found.append(program)
    return found


def version_in(text: str) -> tuple[int, int, int]:
    """Return the first version of Go that a text names. Raises `SystemExit` where it names none."""
    found = _VERSION.search(text)
    if found is None:
        raise SystemExit(f"no version of Go in `{text.strip()}`")
    return int(found[1]), int(found[2]), int(found[3] or 0)


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
    parser = argparse.ArgumentParser(description="Bring more providers for the tests.")
    parser.add_argument("folder", nargs="?", type=Path, default=ROOT / "build" / "providers")
    parser.add_argument("--docker", action="store_true", help="build the provider of Docker, too")
    asked = parser.parse_args()
    where = asked.folder.resolve()
    for each in (*build(where, (*BUILT, DOCKER) if asked.docker else BUILT), framework(where)):
        print(each.relative_to(where))
