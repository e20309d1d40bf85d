"""Start a program on a tether: it speaks over a socket that we hold, and cannot outlive us."""

from __future__ import annotations

import os
import subprocess
import sys

from dirigent.shim import tether


def tied(
    argv: list[str], environment: dict[str, str], folder: str, streams: tuple[int, int]
) -> subprocess.Popen[bytes]:
    """Start `argv`; `streams` are its input and output (one descriptor), and its standard error.

    To end it and all that it started, terminate what this returns. A program that cannot be started is
    an exit code `tether.UNSTARTED`, with the reason on the standard error.
    """
    speech, errors = streams
    return subprocess.Popen(
        [sys.executable, "-I", "-S", os.path.abspath(tether.__file__), str(os.getpid()), *argv],
        stdin=speech,
        stdout=speech,
        stderr=errors,
        cwd=folder,
        env=environment,
        start_new_session=True,
    )
