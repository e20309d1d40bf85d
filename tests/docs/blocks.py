"""The fenced blocks of the documentation, and what their info strings ask for.

    ```yaml             it parses
    ```yaml stack       `dirigent check` accepts it as a stack file
    ```yaml workflow    it is valid against the schema of the standard
    ```sh               the shell can parse it
    ```sh run           it is run, and must succeed
    ```console run      each line after `$ ` is run; the lines under it are its output, `...` any lines
    ```json, ```python  it parses

After `run` may stand `in=FOLDER` (a copy of that folder is where it runs; the default is an empty folder)
and `exit=N`. All blocks of one document that run in the same folder share one copy, in order.
A command that begins with `dirigent` runs as `python -m dirigent`.
"""

from __future__ import annotations

import fnmatch
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

FENCE = re.compile(
    r"^(?P<indent> *)(?P<marks>```+)(?P<info>[^`\n]*)\n(?P<text>.*?)^(?P=indent)(?P=marks) *$",
    re.MULTILINE | re.DOTALL,
)
SECONDS = 120


@dataclass(frozen=True)
class Block:
    """One fenced block. `line` is that of its first line of text."""

    document: str
    line: int
    language: str
    words: tuple[str, ...]
    options: dict[str, str]
    text: str

    @property
    def runs(self) -> bool:
        """Whether it is run."""
        return "run" in self.words

    def __str__(self) -> str:
        return f"{self.document}:{self.line}"


def blocks_of(document: str, text: str) -> Iterator[Block]:
    """Yield the fenced blocks of a document."""
    for found in FENCE.finditer(text):
        language, *words = found["info"].split() or [""]
        options = dict(word.split("=", maxsplit=1) for word in words if "=" in word)
        plain = tuple(word for word in words if "=" not in word)
        line = text.count("\n", 0, found.start("text")) + 1
        indent = len(found["indent"])
        lines = [part[indent:] for part in found["text"].splitlines()]
        yield Block(document, line, language, plain, options, "\n".join(lines) + "\n")


@dataclass(frozen=True)
class Command:
    """One command of a console block, with the output that is shown under it."""

    line: int
    text: str
    shown: tuple[str, ...]


def commands_of(block: Block) -> list[Command]:
    """Return what a block that runs does, in order."""
    if block.language == "sh":
        return [Command(block.line, block.text, ("...",))]
    found: list[tuple[int, str, list[str]]] = []
    for number, line in enumerate(block.text.splitlines(), block.line):
        if line.startswith("$ "):
            found.append((number, line[2:], []))
        elif line.startswith("> ") and found and not found[-1][2]:
            found[-1] = (found[-1][0], f"{found[-1][1]}\n{line[2:]}", [])
        elif found:
            found[-1][2].append(line)
        else:
            raise AssertionError(f"{block.document}:{number}: a console block begins with `$ `")
    return [Command(number, text, tuple(shown)) for number, text, shown in found]


def agrees(shown: tuple[str, ...], output: str) -> bool:
    """Whether an output is what is shown, where a line `...` stands for any lines, and `…` for any words."""
    said = [line.rstrip() for line in output.splitlines()]
    reach = {0}
    for pattern in shown:
        if pattern.strip() == "...":
            reach = set(range(min(reach, default=len(said)), len(said) + 1)) if reach else set()
            continue
        exact = re.sub(r"([\[*?])", r"[\1]", pattern.rstrip()).replace("…", "*")
        reach = {at + 1 for at in reach if at < len(said) and fnmatch.fnmatchcase(said[at], exact)}
    return len(said) in reach


@dataclass
class Desk:
    """Where the blocks of one document run: one copy for each folder that they name."""

    root: Path
    scratch: Path
    folders: dict[str, Path] = field(default_factory=dict)

    def folder(self, block: Block) -> Path:
        """Return the copy for a block."""
        name = block.options.get("in", "")
        if name not in self.folders:
            place = self.scratch / str(len(self.folders))
            if name:
                left = shutil.ignore_patterns(".dirigent", "run", "__pycache__")
                shutil.copytree(self.root / name, place, ignore=left)
            else:
                place.mkdir()
            self.folders[name] = place
        return self.folders[name]

    def run(self, block: Block) -> None:
        """Run a block; the failure names the line of the document."""
        wanted = int(block.options.get("exit", "0"))
        for command in commands_of(block):
            code, output = self.shell(command.text, self.folder(block))
            place = f"{block.document}:{command.line}: `{command.text.strip()}`"
            assert code == wanted, f"{place} ended with {code}, not {wanted}:\n{output}"
            shown = "\n".join(command.shown)
            assert agrees(command.shown, output), f"{place} said:\n{output}\nbut the document shows:\n{shown}"

    def shell(self, text: str, folder: Path) -> tuple[int, str]:
        """Run a piece of shell with `dirigent` as this checkout's; return exit code and all output."""
        face = f'dirigent() {{ "{sys.executable}" -m dirigent "$@"; }}\n'
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", face + text],
            cwd=folder,
            env=environment(self.root),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        return done.returncode, done.stdout

    def clear(self) -> None:
        """Take down whatever a block left running."""
        for place in self.folders.values():
            if (place / ".dirigent").exists():
                self.shell("dirigent down --yes", place)


def environment(root: Path) -> dict[str, str]:
    """Return the environment of the commands: this checkout, plain output, this Python first."""
    folder = Path(sys.executable).parent
    return {
        "PATH": f"{folder}:/usr/local/bin:/usr/bin:/bin",
        "HOME": str(Path.home()),
        "PYTHONPATH": str(root / "src"),
        "NO_COLOR": "1",
        "LANG": "C.UTF-8",
    }
