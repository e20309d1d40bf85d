"""Where the work is done, and which directories were made there on the way to others.

Two resources may share directories that neither found: both are their cause, whoever was first. A
directory is written down before it is made, so that it is known as ours after any crash.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from threading import Lock

from dirigent.shim import files


class Site:
    """`folder` is that of the stack. Used from several threads."""

    def __init__(self, folder: str, record: str | None = None) -> None:
        """Keep the directories in the file `record`, which may not exist yet; without one, in memory."""
        self.folder = folder
        self._record = record
        self._lock = Lock()
        self._made: dict[str, None] | None = None

    def above(self, path: str) -> list[str]:
        """Return the directories above a path that are ours, the outermost first."""
        with self._lock:
            return sorted((made for made in self._known() if path.startswith(f"{made}/")), key=len)

    def claim(self, folders: Iterable[str]) -> None:
        """Write down directories that are about to be made; durable when this returns."""
        with self._lock:
            known = self._known()
            fresh = dict.fromkeys(folder for folder in folders if folder not in known)
            if fresh:
                known.update(fresh)
                self._write()

    def release(self, folder: str) -> None:
        """Forget a directory that is gone."""
        with self._lock:
            if folder in self._known():
                del self._known()[folder]
                self._write()

    def _known(self) -> dict[str, None]:
        if self._made is None:
            stored = (files.read_record(self._record) or {}).get("made") if self._record else None
            self._made = dict.fromkeys(str(each) for each in stored) if isinstance(stored, list) else {}
        return self._made

    def _write(self) -> None:
        if self._record:
            files.make_folder(os.path.dirname(self._record))
            files.write_durably(self._record, files.encode({"made": list(self._known())}))
