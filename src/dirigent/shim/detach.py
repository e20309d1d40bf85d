"""How a supervisor is started so that it is nobody's child. Blocking: call it from a thread."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Final

from dirigent.shim import launch

# Where the interpreter itself was built to need it; nothing else of our environment passes on.
KEPT: Final = ("LD_LIBRARY_PATH",)


def start_detached(module: str, argument: str, private: bytes, trace: str) -> None:
    """Start `module.main` in a session of its own and return when it stands or has died.

    It reads `private` from its standard input; what it has to complain about goes to the file `trace`.
    """
    program = [sys.executable, "-I", "-S", launch.__file__, module, argument]
    environment = {name: os.environ[name] for name in KEPT if name in os.environ}
    descriptor = os.open(trace, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    with open(descriptor, "ab") as complaints:
        # The program is our own interpreter with our own file; nothing of it comes from a document.
        subprocess.run(
            program,
            input=private,
            stdout=complaints,
            stderr=complaints,
            env=environment,
            start_new_session=True,
            check=False,
        )


def trace_tail(trace: str, limit_bytes: int = 2000) -> str:
    """Return the end of a supervisor's complaints, for a message."""
    try:
        with open(trace, "rb") as file:
            return file.read()[-limit_bytes:].decode(errors="replace").strip()
    except FileNotFoundError:
        return ""
