"""The process of a contestant: what it says, when it is silent too long, and its end."""

from __future__ import annotations

import os
import subprocess
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Self

from contest.servers import kill_group

WORDS_SHOWN = 400


class Failed(Exception):
    """A contestant did not do what was asked; the text is the end of what it wrote to standard error."""


class Client:
    """A client in a group of its own, with a folder, killed when its time is over."""

    def __init__(self, command: list[str], folder: Path, orders: Mapping[str, str], seconds: float) -> None:
        """Start it."""
        self.log = folder / "client.log"
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                command,
                cwd=folder,
                env={**os.environ, **orders},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                process_group=0,
            )
        self._late = False
        self._timer = threading.Timer(seconds, self._too_late)
        self._timer.daemon = True
        self._timer.start()

    def __enter__(self) -> Self:
        """Be there."""
        return self

    def __exit__(self, *_: object) -> None:
        """Leave nothing of it behind."""
        self.kill()

    def until(self, word: str) -> None:
        """Return when it has said a word; raise `Failed` when it ends before that."""
        if self.process.stdout is None:
            raise Failed("nobody listens to this client")
        for line in self.process.stdout:
            if line.strip() == word.encode():
                return
        raise Failed(self._last_words(f"it ended without saying `{word}`"))

    def answer(self) -> None:
        """Let a client go on that waits until it has been looked at."""
        if self.process.stdin is not None:
            self.process.stdin.write(b"\n")
            self.process.stdin.flush()

    def output(self) -> bytes:
        """Return all that it writes until it ends in order."""
        out, _ = self.process.communicate()
        self._timer.cancel()
        if self.process.returncode:
            raise Failed(self._last_words(f"it ended with code {self.process.returncode}"))
        return out

    def kill(self) -> None:
        """Kill it and its group, as a crash would."""
        self._timer.cancel()
        kill_group(self.process)
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                pipe.close()

    def _too_late(self) -> None:
        self._late = True
        kill_group(self.process)

    def _last_words(self, what: str) -> str:
        text = " ".join(self.log.read_text(encoding="utf-8", errors="replace").split())
        return ("it took too long; " if self._late else "") + f"{what}: {text[-WORDS_SHOWN:]}"
