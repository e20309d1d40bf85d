"""A child that cannot outlive its supervisor: own group, no new privileges, no core, nothing inherited.

Only single-threaded supervisors call this: it forks.
"""

from __future__ import annotations

import ctypes
import os
import resource
import signal

SET_PARENT_DEATH_SIGNAL = 1
SET_CHILD_SUBREAPER = 36
SET_NO_NEW_PRIVILEGES = 38

# What could not be used, in the report of a child that could not become its program.
FOLDER, PROGRAM = b"f", b"p"

_libc = ctypes.CDLL(None)
# A supervisor may raise its own limit on open files; its children get the one that it was born with.
_OPEN_FILES = resource.getrlimit(resource.RLIMIT_NOFILE)
# Nobody can catch these two.
_RESET = signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}


def open_many_files() -> None:
    """Let this process open as many files and connections as it may; children are not affected."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (_OPEN_FILES[1], _OPEN_FILES[1]))


def adopt_descendants() -> None:
    """Become the parent of every descendant whose own parent dies, so that none can slip away."""
    _libc.prctl(SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def die_with_parent(number: int) -> None:
    """Have this process get a signal when the thread that started it ends."""
    _libc.prctl(SET_PARENT_DEATH_SIGNAL, number, 0, 0, 0)


def start_child(
    argv: list[str], environment: dict[str, str], folder: str, streams: tuple[int, int, int]
) -> int:
    """Start a program in a process group of its own and return its pid, which is the group's id.

    `streams` become its standard input, output and error. Raises `OSError`, which names the folder or
    the program that cannot be used; then nothing runs.
    """
    failed, report = os.pipe()
    parent = os.getpid()
    pid = os.fork()
    if pid == 0:
        _become(argv, environment, folder, streams, (parent, report))
    os.close(report)
    with open(failed, "rb") as file:
        reason = file.read()
    if reason:
        os.waitpid(pid, 0)
        what, code = reason[:1], int(reason[1:])
        raise OSError(code, os.strerror(code), folder if what == FOLDER else argv[0])
    return pid


def _become(
    argv: list[str],
    environment: dict[str, str],
    folder: str,
    streams: tuple[int, int, int],
    origin: tuple[int, int],
) -> None:
    """Turn the forked process into the program; never returns."""
    parent, report = origin
    what = FOLDER
    try:
        os.setpgid(0, 0)
        _libc.prctl(SET_PARENT_DEATH_SIGNAL, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != parent:
            os._exit(127)  # The supervisor died before the line above could hold.
        _libc.prctl(SET_NO_NEW_PRIVILEGES, 1, 0, 0, 0)
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_NOFILE, _OPEN_FILES)
        # What is ignored stays so in the program: Python does it to two, `nohup` and `&` of a shell to more.
        for number in _RESET:
            signal.signal(number, signal.SIG_DFL)
        for target, source in enumerate(streams):
            os.dup2(source, target)
        os.chdir(folder)
        what = PROGRAM
        os.execvpe(argv[0], argv, environment)
    except OSError as reason:
        os.write(report, what + str(reason.errno).encode())
    finally:
        os._exit(127)


def signal_group(group: int, number: int) -> None:
    """Send a signal to a whole group; a group that is gone is no error."""
    try:
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):
        return


def kill_descendants() -> None:
    """Kill every child that is left, adopted ones included."""
    me = os.getpid()
    try:
        with open(f"/proc/{me}/task/{me}/children", encoding="ascii") as file:
            pids = [int(pid) for pid in file.read().split()]
    except FileNotFoundError:
        return
    for pid in pids:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue
