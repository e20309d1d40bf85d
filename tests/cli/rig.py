"""The command line as its users meet it: a process of its own, with pipes or a terminal."""

from __future__ import annotations

import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
import termios
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PATIENCE_SECONDS = 60.0
PAINT = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")

STACK = """\
stack: small
inputs:
  greeting: {type: string, default: hello}
resources:
  site:
    type: directory
    with: {path: site}
  note:
    type: file
    with:
      path: ${ $resources.site.path + "/note.txt" }
      content: ${ $inputs.greeting }
workflows:
  quick:
    document: {dsl: 1.0.3, namespace: small, name: quick, version: 1.0.0}
    do:
      - answer: {set: {text: '${ "hello, " + (.name // "you") }'}}
  slow:
    document: {dsl: 1.0.3, namespace: small, name: slow, version: 1.0.0}
    do:
      - nap: {wait: {seconds: 60}}
  short:
    document: {dsl: 1.0.3, namespace: small, name: short, version: 1.0.0}
    do:
      - nap: {wait: {seconds: 2}}
      - answer: {set: {done: true}}
  broken:
    document: {dsl: 1.0.3, namespace: small, name: broken, version: 1.0.0}
    do:
      - fall: {raise: {error: {type: "https://example.com/fallen", status: 418, title: Fallen}}}
outputs:
  path: ${ $resources.note.path }
"""


@dataclass(frozen=True)
class Told:
    """What a command said, and its exit code."""

    code: int
    out: str
    err: str

    @property
    def json(self):
        """The answer of `--json`: nothing else may stand on standard output."""
        return json.loads(self.out)


def environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return a plain environment with this checkout in it."""
    folder = Path(sys.executable).parent
    return {
        "PATH": f"{folder}:/usr/local/bin:/usr/bin:/bin",
        "HOME": str(Path.home()),
        "PYTHONPATH": str(ROOT / "src"),
        "LANG": "C.UTF-8",
        **(extra or {}),
    }


@dataclass(frozen=True)
class Desk:
    """A folder in which commands are given."""

    folder: Path

    def write(self, text: str = STACK, name: str = "stack.yaml") -> Desk:
        """Write a file into the folder."""
        (self.folder / name).write_text(text, encoding="utf-8")
        return self

    def start(self, *words: str, **extra: str) -> subprocess.Popen[str]:
        """Start a command with pipes; `extra` are variables of its environment."""
        return subprocess.Popen(
            [sys.executable, "-m", "dirigent", *words],
            cwd=self.folder,
            env=environment(extra),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def say(self, *words: str, **extra: str) -> Told:
        """Run a command to its end."""
        process = self.start(*words, **extra)
        out, err = process.communicate(timeout=PATIENCE_SECONDS)
        assert "Traceback" not in out + err, err
        return Told(process.returncode, out, err)

    def answer(self, *words: str, code: int = 0, **extra: str):
        """Run a command with `--json`, and return what it answers."""
        told = self.say(*words, "--json", **extra)
        assert told.code == code, f"{words}: {told}"
        return told.json

    def until(self, condition):
        """Wait until a condition holds, and return what it gave."""
        end = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < end:
            if found := condition():
                return found
            time.sleep(0.05)
        raise AssertionError("waited in vain")

    def running(self, *words: str) -> subprocess.Popen[str]:
        """Start a command that follows a run, and return it when the run has begun."""
        process = self.start(*words)
        line = process.stdout.readline()
        assert line, process.communicate()
        return process


class Screen:
    """A command on a terminal of 80 columns and 24 lines."""

    def __init__(self, desk: Desk, *words: str, **extra: str) -> None:
        """Start it."""
        self.seen = ""
        variables = environment({"TERM": "xterm-256color", **extra})
        self.child, self._terminal = pty.fork()
        if self.child == 0:
            os.chdir(desk.folder)
            os.execve(sys.executable, [sys.executable, "-m", "dirigent", *words], variables)
        termios.tcsetwinsize(self._terminal, (24, 80))

    def until(self, text: str) -> str:
        """Wait until a text was shown; return all that was."""
        end = time.monotonic() + PATIENCE_SECONDS
        while text not in self.seen:
            assert time.monotonic() < end, f"{text!r} was never shown:\n{self.seen}"
            if not self._more(1.0):
                assert text in self.seen, f"it ended without {text!r}:\n{self.seen}"
        return self.seen

    def type(self, text: str) -> None:
        """Type on the keyboard."""
        os.write(self._terminal, text.encode())

    def end(self) -> int:
        """Wait for the end; return the exit code."""
        while self._more(PATIENCE_SECONDS):
            pass
        _, status = os.waitpid(self.child, 0)
        os.close(self._terminal)
        return os.waitstatus_to_exitcode(status)

    def stop(self) -> None:
        """Send what Ctrl-C sends."""
        os.kill(self.child, signal.SIGINT)

    @property
    def text(self) -> str:
        """All that was shown, without colours and movements."""
        return PAINT.sub("", self.seen)

    def _more(self, seconds: float) -> bool:
        ready, _, _ = select.select([self._terminal], [], [], seconds)
        if not ready:
            return True
        try:
            read = os.read(self._terminal, 65536)
        except OSError:
            return False
        self.seen += read.decode(errors="replace")
        return bool(read)


def rendered(shown: str, width: int = 80) -> list[str]:
    """Return what stands on a screen after all of `shown`: enough of a terminal for our own movements."""
    shown = re.sub(r"\x1b\[[0-9;]*m", "", shown)
    lines, row, column = [""], 0, 0
    for part in re.split(r"(\x1b\[[0-9;?]*[A-Za-z]|\r|\n)", shown):
        if part == "\n":
            row += 1
        elif part == "\r":
            column = 0
        elif part.startswith("\x1b["):
            number, verb = part[2:-1], part[-1]
            if verb == "A":
                row = max(0, row - int(number or 1))
            elif verb == "K":
                lines[row], column = "", 0
            elif verb == "J":
                del lines[row + 1 :]
                lines[row] = lines[row][:column]
        elif part:
            lines[row] = lines[row][:column] + part + lines[row][column + len(part) :]
            column += len(part)
            assert len(lines[row]) <= width, f"this line wraps: {lines[row]}"
        while row >= len(lines):
            lines.append("")
    return lines
