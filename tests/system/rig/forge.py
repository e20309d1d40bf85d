"""The fork server: everything is imported once, then each engine of a test is a fork of this process.

It reads orders, one line of JSON each, and answers each with the wait status of the engine. Whatever
an engine leaves behind becomes a child of this process, so that nothing can get lost.
"""

import ctypes
import importlib
import json
import os
import pkgutil
import sys

import dirigent
from system.rig import life
from system.rig.fuse import Death, Fuse

PR_SET_CHILD_SUBREAPER = 36


def main():
    """Serve until the orders end."""
    if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "cannot adopt orphans")
    for module in pkgutil.walk_packages(dirigent.__path__, "dirigent."):
        if not module.name.endswith(("__main__", "worker", ".launch")):
            importlib.import_module(module.name)
    for line in sys.stdin:
        order = json.loads(line)
        code = None if order.get("reap") else forked(order)
        reap()
        sys.stdout.write(json.dumps({"code": code}) + "\n")
        sys.stdout.flush()


def forked(order):
    """Let one engine live, and return its exit code, or its signal as a negative number."""
    pid = os.fork()
    if not pid:
        death = Death(**order["death"]) if order["death"] else None
        os.environ.update(order["environment"])
        life.go(order["argv"], order["report"], death, order["plant"], Fuse)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def reap():
    """Bury adopted children that have ended."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        pass


if __name__ == "__main__":
    main()
