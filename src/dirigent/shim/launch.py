"""Started by path with `-I -S`: detaches twice, then runs the `main` of a supervisor's module.

The first process returns as soon as the supervisor says that it stands (or dies), so whoever
started it is neither its parent nor its session, and knows that there is something to attach to.
"""

from __future__ import annotations

import os
import sys
from importlib import import_module


def main(module: str, arguments: list[str]) -> None:
    """Fork; the child becomes the supervisor and closes `ready` when it stands."""
    # Isolated mode leaves our own packages out; nothing of the site is wanted, only ourselves.
    sys.path.insert(0, os.path.abspath(os.path.join(os.path.dirname(__file__), "..", "..")))
    supervisor = import_module(module)
    attached, ready = os.pipe()
    if os.fork():
        os.close(ready)
        os.read(attached, 1)
        os._exit(0)
    os.close(attached)
    os.umask(0o077)
    os.chdir("/")
    supervisor.main(arguments, ready)
    sys.stderr.flush()
    os._exit(0)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
