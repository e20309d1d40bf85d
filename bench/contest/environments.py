"""Where peers are installed: one folder each, made once, with the exact versions that the table names."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

SECONDS = 600
NODE_FOLDER = "node"


class NotInstalled(Exception):
    """A peer cannot be installed here; the text says why."""


@dataclass(frozen=True, slots=True)
class Environments:
    """The folder under which peers are installed."""

    folder: Path

    def python(self, name: str, pins: tuple[str, ...]) -> Path:
        """Return the folder of a virtual environment that holds exactly these pins.

        Raises `NotInstalled` with the last words of the installer.
        """
        place = self.folder / name
        if self._stands(place, pins):
            return place
        shutil.rmtree(place, ignore_errors=True)
        uv = shutil.which("uv")
        if uv:
            make = [uv, "venv", "-q", "--python", sys.executable, str(place)]
            fill = [uv, "pip", "install", "-q", "--python", str(place / "bin" / "python"), *pins]
        else:
            make = [sys.executable, "-m", "venv", str(place)]
            fill = [str(place / "bin" / "python"), "-m", "pip", "install", "-q", *pins]
        for command in (make, fill) if pins else (make,):
            _done(command, self.folder)
        self._sign(place, pins)
        return place

    def node(self, pins: tuple[str, ...]) -> Path:
        """Return the folder whose `node_modules` hold these packages of npm."""
        place = self.folder / NODE_FOLDER
        if self._stands(place, pins):
            return place
        npm = shutil.which("npm")
        if npm is None:
            raise NotInstalled("there is no npm on the path")
        place.mkdir(parents=True, exist_ok=True)
        _done([npm, "install", "--no-audit", "--no-fund", "--ignore-scripts", *pins], place)
        self._sign(place, pins)
        return place

    def _stands(self, place: Path, pins: tuple[str, ...]) -> bool:
        try:
            return json.loads((place / "pins.json").read_text(encoding="utf-8")) == sorted(pins)
        except (OSError, ValueError):
            return False

    def _sign(self, place: Path, pins: tuple[str, ...]) -> None:
        """Say last that all is there: an installation that broke off is made anew."""
        (place / "pins.json").write_text(json.dumps(sorted(pins)), encoding="utf-8")


def _done(command: list[str], folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    try:
        done = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, timeout=SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as failure:
        raise NotInstalled(f"{command[0]}: {failure}") from failure
    if done.returncode:
        words = " ".join((done.stderr or done.stdout).split())[-300:]
        raise NotInstalled(f"{Path(command[0]).name} failed: {words}")
