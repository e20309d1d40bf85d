"""Started by path with `-I -S`: runs one program whose pipes its starter holds, and that cannot outlive him.

When the starter dies, or says so by SIGTERM, the program and all that it started are killed.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from importlib import import_module

UNSTARTED = 127


def main(parent: int, argv: list[str]) -> int:
    """Run `argv` with our own streams; return its exit code, or the code that shells give a signal."""
    # Isolated mode leaves our own packages out; nothing of the site is wanted, only ourselves.
    sys.path.insert(0, os.path.abspath(os.path.join(os.path.dirname(__file__), "..", "..")))
    child = import_module("dirigent.shim.child")
    child.adopt_descendants()

    def stop(_number: int, _frame: object) -> None:
        _end(child.kill_descendants)
        os._exit(0)

    signal.signal(signal.SIGTERM, stop)
    child.die_with_parent(signal.SIGTERM)
    if os.getppid() != parent:
        return UNSTARTED
    try:
        pid = child.start_child(argv, dict(os.environ), os.getcwd(), (0, 1, 2))
    except OSError as reason:
        os.write(2, f"{reason.filename}: {reason.strerror}".encode())
        return UNSTARTED
    # Only the program holds the pipes now, so that either end sees when the other is gone.
    os.close(0)
    os.close(1)
    _, status = os.waitpid(pid, 0)
    _end(child.kill_descendants)
    return os.waitstatus_to_exitcode(status) if os.WIFEXITED(status) else 128 + os.WTERMSIG(status)


def _end(kill: Callable[[], None]) -> None:
    """Kill until none is left: whose parent dies becomes our child, and is killed in the next round."""
    while True:
        kill()
        try:
            os.waitpid(-1, 0)
        except ChildProcessError:
            return


if __name__ == "__main__":
    os._exit(main(int(sys.argv[1]), sys.argv[2:]))
