"""Large values as files: named by their SHA-256, durable before any fact that names them, read on demand.

Law 1: content is synced, then named, and the name is synced, before `put` returns: a crash leaves at most
a file that no fact names, which `sweep` removes. Law 2: what is read is checked against its name.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import secrets
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from dirigent.model.ids import Digest
from dirigent.model.problem import Refusal, refuse
from dirigent.model.record import dataclass
from dirigent.stores import files

_PART: Final = ".part"
# A file may be about to be named by a fact: it is garbage only when it has been there for so long.
YOUNG_SECONDS: Final = 3_600.0
_BLOCK: Final = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Payloads:
    """The folder of large values of one store. It is made with the first of them."""

    folder: str

    @property
    def any(self) -> bool:
        """Return whether there is any large value at all."""
        return Path(self.folder).is_dir()

    def put(self, content: bytes) -> Digest:
        """Keep content under its digest; durable on return, and stored once however often it is put.

        Raises `Refusal` (E5012) when the disk refuses.
        """
        digest = Digest(hashlib.sha256(content).hexdigest())
        path = self.path(digest)
        try:
            files.make_directory(path.parent.parent)
            files.make_directory(path.parent)
            with self._held(fcntl.LOCK_SH):
                if path.exists() and path.stat().st_size == len(content):
                    os.utime(path)  # It is about to be named again: nobody may take it for forgotten.
                else:
                    part = path.with_name(f"{digest}-{secrets.token_hex(4)}{_PART}")
                    _write(part, content)
                    part.rename(path)
            # Also for what was there: who wrote it may have died before its name was durable.
            files.sync_directory(path.parent)
        except OSError as error:
            raise files.unusable(str(path), error) from None
        return digest

    def get(self, digest: str, whose: str = "") -> bytes:
        """Return content. Raises `Refusal`: E5070 when it is missing, E5071 when it is damaged.

        `whose` says for the message which run and position it belongs to.
        """
        try:
            content = self.path(Digest(digest)).read_bytes()
        except (OSError, ValueError) as error:
            raise missing(digest, whose) from error
        if hashlib.sha256(content).hexdigest() != digest:
            raise damaged(digest, whose)
        return content

    def path(self, digest: Digest) -> Path:
        """Return where content lies. Raises `ValueError` for what is no digest."""
        if len(digest) != hashlib.sha256().digest_size * 2 or not set(digest) <= set("0123456789abcdef"):
            raise ValueError(digest)
        return Path(self.folder) / digest[:2] / digest

    def stored(self) -> Iterator[Path]:
        """Yield every file, also the parts that a crash left."""
        yield from (path for path in Path(self.folder).glob("??/*") if path.is_file())

    def lasting(self, young_seconds: float = YOUNG_SECONDS, now: float | None = None) -> bool:
        """Return whether there is a file for which it is worth to ask who names it."""
        horizon = (time.time() if now is None else now) - young_seconds
        for path in self.stored():
            with suppress(FileNotFoundError):
                if path.stat().st_mtime <= horizon:
                    return True
        return False

    def sweep(
        self, referenced: Collection[str], young_seconds: float = YOUNG_SECONDS, now: float | None = None
    ) -> int:
        """Delete what no fact names and nobody is about to name; return how many bytes that was.

        `referenced` are the digests that the facts of all journals name, as they stood at `now` or later.
        Raises `Refusal` (E5012) when the disk refuses.
        """
        freed = 0
        horizon = (time.time() if now is None else now) - young_seconds
        try:
            for path in [each for each in self.stored() if each.name not in referenced]:
                # A part may have got its name by now.
                with self._held(fcntl.LOCK_EX), suppress(FileNotFoundError):
                    found = path.stat()
                    if found.st_mtime <= horizon:
                        path.unlink()
                        freed += found.st_size
        except OSError as error:
            raise files.unusable(self.folder, error) from None
        return freed

    @contextmanager
    def _held(self, how: int) -> Iterator[None]:
        """Hold the folder while the block runs, so that to look at a file and to remove it is one."""
        descriptor = os.open(self.folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            fcntl.flock(descriptor, how)
            yield
        finally:
            os.close(descriptor)


def _write(path: Path, content: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        view = memoryview(content)
        while view:
            view = view[os.write(descriptor, view[:_BLOCK]) :]
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def missing(digest: str, whose: str) -> Refusal:
    """Return the refusal for a large value that is not there."""
    return refuse(
        "E5070",
        f"the large value `{digest}`{whose} is not in the state directory",
        "restore `payloads/` from the backup that the journal comes from",
    )


def damaged(digest: str, whose: str) -> Refusal:
    """Return the refusal for a large value whose bytes are not those of its name."""
    return refuse(
        "E5071",
        f"the large value `{digest}`{whose} is damaged: its bytes are not those that were stored",
        "restore the file under `payloads/` from a backup; look at the disk",
    )
