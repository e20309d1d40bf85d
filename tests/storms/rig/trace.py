"""All that a process did to the files below a folder, in order, as strace saw it.

A write counts from the moment it was asked for, a synchronisation from the moment it had returned:
the reading of the log that promises least.
"""

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from storms.rig.nursery import ROOT

CALLS = (
    *("openat", "write", "pwrite64", "fsync", "fdatasync", "ftruncate", "lseek", "close"),
    *("rename", "renameat", "renameat2", "link", "linkat", "unlink", "unlinkat", "mkdir", "mkdirat"),
)
# Calls that would change files in a way that this reading does not know: to see one is a failure.
UNKNOWN = ("writev", "pwritev", "pwritev2", "fallocate", "copy_file_range", "sendfile", "truncate", "msync")
LINE = re.compile(r"^(\d+) +(?:<\.\.\. (?P<resumed>\w+) resumed>)?(?P<rest>.*)$")
CALL = re.compile(
    r"^(?P<name>\w+)\((?P<words>.*?)(?:\) += (?P<result>-?\d+)(?P<where><.*?>)?.*| <unfinished \.\.\.>)$"
)
TEXT = re.compile(r'"((?:\\x[0-9a-f]{2})*)"')
OPEN_FILE = re.compile(r"^(\d+)<(.*?)>")
STRINGS_BYTES = 8 << 20


@dataclass(frozen=True)
class Step:
    """Something that was done to a file, or was said. `kind` names it; a rename has `other`."""

    KINDS: ClassVar = ("write", "sync", "size", "make", "drop", "name", "link", "folder", "say")

    kind: str
    path: str = ""
    at: int = 0
    content: bytes = b""
    other: str = ""


def lacking():
    """Return why nothing can be traced here, or None when it can."""
    if shutil.which("strace") is None:
        return "strace is not installed"
    probe = subprocess.run(("strace", "-o", os.devnull, "true"), capture_output=True, text=True, check=False)
    return f"strace does not work here: {probe.stderr.strip()}" if probe.returncode else None


def traced(folder, log, program):
    """Run a Python program under strace; return all steps below `folder`, and what it said."""
    environment = {
        **os.environ,
        "PYTHONPATH": f"{ROOT / 'src'}:{ROOT / 'tests'}",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    words = ("strace", "-f", "-y", "-xx", "-s", str(STRINGS_BYTES), "-o", str(log), "--signal=none")
    calls = ("-e", "trace=" + ",".join((*CALLS, *UNKNOWN)))
    done = subprocess.run(
        (*words, *calls, sys.executable, "-c", program),
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise AssertionError(f"the traced life gave {done.returncode}: {done.stdout[-300:]} {done.stderr}")
    with Path(log).open(encoding="ascii") as text:
        return list(Reading(str(folder)).steps(text))


class Reading:
    """Reads a log line by line; a call that was interrupted is put together again."""

    def __init__(self, folder):
        self.folder = folder
        self.begun = {}
        self.places = {}

    def steps(self, text):
        for line in text:
            found = LINE.match(line.rstrip("\n"))
            if found is None:
                raise AssertionError(f"strace said {line[:200]!r}")
            yield from self._line(found[1], found["resumed"], found["rest"])

    def _line(self, pid, resumed, rest):
        if rest.startswith(("+++", "---")):
            return
        if resumed:
            name, words = self.begun.pop(pid)
            yield from self._done(name, words + rest.partition(")")[0], rest.rpartition(" = ")[2])
            return
        call = CALL.match(rest)
        if call is None:
            raise AssertionError(f"strace said {rest[:200]!r}")
        if call["result"] is None:
            self.begun[pid] = (call["name"], call["words"])
            yield from self._asked(call["name"], call["words"])
            return
        yield from self._asked(call["name"], call["words"])
        yield from self._done(call["name"], call["words"], call["result"] + (call["where"] or ""))

    def _asked(self, name, words):
        """What holds from the moment of the call on."""
        if name not in ("write", "pwrite64", "ftruncate") and name not in UNKNOWN:
            return
        handle, path = self._file(words)
        if name in UNKNOWN and path:
            raise AssertionError(f"{name} on {path} cannot be read yet")
        if name == "write" and handle == 1:
            yield Step("say", content=_text(words))
        elif path and name == "ftruncate":
            yield Step("size", path, int(words.rpartition(", ")[2]))
        elif path:
            content = _text(words)
            at = int(words.rpartition(", ")[2]) if name == "pwrite64" else self.places.get(handle, 0)
            if name == "write":
                self.places[handle] = at + len(content)
            yield Step("write", path, at, content)

    def _done(self, name, words, result):
        """What holds only when the call has returned well."""
        if result.startswith("-"):
            return
        if name in ("fsync", "fdatasync"):
            _, path = self._file(words)
            if path:
                yield Step("sync", path)
        elif name == "openat":
            yield from self._opened(words, result)
        elif name == "lseek":
            handle, path = self._file(words)
            if path:
                self.places[handle] = int(re.match(r"\d+", result)[0])
        elif name not in ("close", "write", "pwrite64", "ftruncate"):
            yield from self._named(name, [_plain(found) for found in TEXT.findall(words)], words)

    def _opened(self, words, result):
        path = _plain(TEXT.search(words)[1])
        if not self._ours(path):
            return
        handle = int(re.match(r"\d+", result)[0])
        self.places[handle] = 0
        if "O_CREAT" in words:
            yield Step("make", path)
        if "O_TRUNC" in words:
            yield Step("size", path, 0)

    def _named(self, name, paths, words):
        if not all(self._ours(path) for path in paths):
            return
        if name.startswith("rename"):
            yield Step("name", paths[0], other=paths[1])
        elif name.startswith("link"):
            yield Step("link", paths[0], other=paths[1])
        elif name.startswith("unlink"):
            yield Step("drop", paths[0])
        elif name.startswith("mkdir"):
            yield Step("folder", paths[0])

    def _file(self, words):
        """Return the number and the path of an open file; the path is None when it is not ours."""
        found = OPEN_FILE.match(words)
        path = _plain(found[2]) if found else ""
        return (int(found[1]) if found else -1), (path if self._ours(path) else None)

    def _ours(self, path):
        return (path.startswith(self.folder + "/") and not path.endswith("-shm")) or path == self.folder


def _plain(text):
    """Return a name as it is; strace writes it in figures."""
    return bytes.fromhex(text.replace("\\x", "")).decode() if text.startswith("\\x") else text


def _text(words):
    return bytes.fromhex(TEXT.search(words)[1].replace("\\x", ""))
