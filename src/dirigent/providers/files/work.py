"""Creating, updating and deleting files and directories. Each may be given again after any line of it."""

from __future__ import annotations

import os
from collections.abc import Mapping

from dirigent.model import limits
from dirigent.model.values import Value
from dirigent.ports.resources import Operation
from dirigent.providers.files import disk, seal
from dirigent.providers.files.site import Site
from dirigent.providers.files.wish import DIRECTORY, Wish, shown_mode

Applied = tuple[dict[str, Value], Value]


def put_file(operation: Operation, wish: Wish, content: bytes, site: Site) -> Applied:
    """Write the file; a creation refuses what is in the way (E3104)."""
    if len(content) > limits.FILE_CONTENT_BYTES:
        most = limits.FILE_CONTENT_BYTES
        raise disk.failure("E3103", f"the content has {len(content)} bytes, and at most {most} are possible")
    owners = disk.owner_ids(wish.owner, wish.group)
    with disk.reported("written", wish.path):
        _refuse_outside(wish, site)
        if operation.action == "create":
            _refuse_foreign(operation, wish, content)
        parents = _parents(operation, wish, site)
        disk.write_whole(wish.path, content, wish.creation_mode, owners, operation.order.id)
    kept = seal.seal(content, operation.order.id) if wish.secret else {"sha256": seal.digest(content)}
    attributes: dict[str, Value] = {
        "path": wish.path,
        "sha256": kept.get("sha256"),
        "bytes": len(content),
        "mode": shown_mode(wish.creation_mode),
    }
    return attributes, {**kept, "parents": parents}


def put_directory(operation: Operation, wish: Wish, site: Site) -> Applied:
    """Make the directory, or take the one that is there as it is."""
    owners = disk.owner_ids(wish.owner, wish.group)
    prior = _private(operation)
    with disk.reported("made", wish.path):
        _refuse_outside(wish, site)
        parents = _parents(operation, wish, site)
        made = disk.make_directory(wish.path)
        if operation.action == "update":
            made = made or prior.get("made") is True
        elif operation.order.doubtful and not made:
            # Made before the crash, most likely; if not, an empty directory is no loss.
            made = not os.listdir(wish.path)
        mode = disk.set_directory(wish.path, wish.creation_mode if made else wish.mode, owners)
    return {"path": wish.path, "mode": shown_mode(mode)}, {"made": made, "parents": parents}


def take_away(operation: Operation, site: Site) -> Applied:
    """Delete what we wrote, and the empty directories that we made on the way to it.

    Raises:
        ProviderFailed: E3105 if a file is not as we left it.
    """
    if operation.prior is None:
        return {}, None
    path = str(operation.prior.attributes.get("path"))
    private = _private(operation)
    with disk.reported("deleted", path):
        if operation.type == DIRECTORY:
            gone = private.get("made") is True and disk.remove_empty(path)
        else:
            _refuse_changed(path, private)
            disk.remove_file(path)
            gone = True
        if gone:
            _remove_parents(path, private.get("parents"), site)
    return {}, None


def _refuse_outside(wish: Wish, site: Site) -> None:
    if wish.inside and disk.leads_outside(wish.path, site.folder):
        raise disk.failure(
            "E3101",
            f"a symbolic link leads `{wish.path}` out of the folder of the stack; "
            "write the absolute path if that is what you mean",
        )


def _refuse_foreign(operation: Operation, wish: Wish, content: bytes) -> None:
    found = disk.look(wish.path)
    if found is None or wish.adopt:
        return
    # In doubt our own content is the proof; so is that of the row whose file came back.
    ours = operation.order.doubtful and found.content == content
    back = found.content is not None and seal.knows(_private(operation), found.content)
    if not ours and not back:
        raise disk.failure(
            "E3104",
            f"`{wish.path}` exists and was not made by Dirigent; nothing was touched. "
            "Move it away, or set `adopt: true` to replace it",
        )


def _refuse_changed(path: str, private: Mapping[str, Value]) -> None:
    found = disk.look(path)
    if found is None or (found.content is not None and seal.knows(private, found.content)):
        return
    raise disk.failure(
        "E3105",
        f"`{path}` is not as Dirigent left it, so it was not deleted. "
        "Keep a copy if you need it and delete it yourself, then try again",
    )


def _parents(operation: Operation, wish: Wish, site: Site) -> list[Value]:
    """Make what is missing on the way; return the directories there that are ours, the outermost first."""
    before = _private(operation).get("parents") if operation.action == "update" else None
    ours = dict.fromkeys(str(folder) for folder in before) if isinstance(before, list) else {}
    missing = disk.missing_parents(wish.path)
    site.claim(missing)
    disk.make_parents(missing)
    if operation.order.doubtful and operation.action == "create" and wish.inside:
        # The attempt before may have made them: those with nothing else in them.
        ours |= dict.fromkeys(disk.empty_chain(wish.path, site.folder, operation.order.id))
    ours |= dict.fromkeys(site.above(wish.path))
    return [*sorted(ours, key=len)]


def _remove_parents(path: str, parents: Value, site: Site) -> None:
    ours = {*(str(folder) for folder in parents)} if isinstance(parents, list) else set()
    for folder in sorted({*ours, *site.above(path)}, key=len, reverse=True):
        if not disk.remove_empty(folder):
            return
        site.release(folder)


def _private(operation: Operation) -> Mapping[str, Value]:
    private = operation.prior.private if operation.prior is not None else None
    return private if isinstance(private, dict) else {}
