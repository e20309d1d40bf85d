"""The last line of defence: what nobody expected becomes a report on disk, never a traceback on screen.

A report holds where it happened and no values: the message of an error and the words of the command
line may carry what is secret, so what follows `=` is cut, and values of the environment are taken out.
"""

from __future__ import annotations

import os
import platform
import sys
import tempfile
import time
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from dirigent import __version__
from dirigent.cli.exits import Exit
from dirigent.cli.options import STATE_FOLDER
from dirigent.cli.output import note

# Shorter values of the environment are words of every report: `1`, `en`.
_SECRET_LENGTH: Final = 6
_HARMLESS: Final = frozenset(
    {"HOME", "LANG", "LOGNAME", "OLDPWD", "PATH", "PWD", "PYTHONPATH", "SHELL", "TERM", "USER", "_"}
)


def reported(failure: BaseException) -> int:
    """Write a report of a failure that nobody expected, say where it is, and return the exit code."""
    note(f"error: this is a defect of Dirigent ({type(failure).__name__}); what was recorded is safe")
    try:
        path = report(failure, sys.argv[1:], os.environ)
    except OSError as refusal:
        note(f"  = note: a report could not be written: {refusal.strerror}")
    else:
        note(f"  = report: {path}")
        note("  = help: read it, and send it to the developers")
    return Exit.BUG


def report(failure: BaseException, words: list[str], environment: Mapping[str, str]) -> Path:
    """Write a report into the state folder, else a temporary one, and return where it is."""
    lines = [
        f"dirigent {__version__}, Python {platform.python_version()}, {platform.platform()}",
        f"at {time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime())}",
        f"command: dirigent {' '.join(_without_value(word) for word in words)}",
        "",
        *_chain(failure),
    ]
    folder = Path(environment.get("DIRIGENT_STATE") or STATE_FOLDER)
    if not (folder.is_dir() and os.access(folder, os.W_OK)):
        folder = Path(tempfile.gettempdir())
    descriptor, path = tempfile.mkstemp(prefix="dirigent-report-", suffix=".txt", dir=folder)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(cleared("\n".join(lines) + "\n", environment))
    return Path(path).absolute()


def cleared(text: str, environment: Mapping[str, str]) -> str:
    """Return a text without the values that the environment holds."""
    for name, value in sorted(environment.items(), key=lambda pair: -len(pair[1])):
        if len(value) >= _SECRET_LENGTH and name not in _HARMLESS:
            text = text.replace(value, f"(${name})")
    return text


def _without_value(word: str) -> str:
    name, equals, _ = word.partition("=")
    return f"{name}=..." if equals else word


def _chain(failure: BaseException) -> list[str]:
    """Return where each failure of a chain happened: files, lines and functions, no values of variables."""
    lines: list[str] = []
    seen: set[int] = set()
    current: BaseException | None = failure
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        lines.append(f"{type(current).__module__}.{type(current).__qualname__}: {str(current)[:500]}")
        lines += [
            f"  {frame.filename}:{frame.lineno} in {frame.name}"
            for frame in traceback.extract_tb(current.__traceback__)
        ]
        current = current.__cause__ or current.__context__
    return lines
