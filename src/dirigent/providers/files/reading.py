"""What stands where a row says that something should: the attributes now, and what differs."""

from __future__ import annotations

from dirigent.model.resource import ResourceRow
from dirigent.model.values import SecretText, Value
from dirigent.ports.resources import ProviderFailed, Reading
from dirigent.providers.files import disk, seal
from dirigent.providers.files.wish import DIRECTORY, FILE, shown_mode

GONE = Reading(None)


def reading_of(row: ResourceRow) -> Reading:
    """Return the reading of a row; something of another kind in its place means that it is gone."""
    path = str(row.attributes.get("path"))
    with disk.reported("read", path):
        found = disk.look(path)
    if found is None or found.kind != (DIRECTORY if row.type == DIRECTORY else FILE):
        return GONE
    differing: dict[str, Value] = {}
    mode = shown_mode(found.mode)
    if mode != row.attributes.get("mode"):
        differing["mode"] = mode
    differing |= _owners(row, found)
    if row.type == DIRECTORY:
        return Reading({"path": path, "mode": mode}, differing)
    attributes: dict[str, Value] = {"path": path, "bytes": found.size, "mode": mode, "sha256": None}
    secret = isinstance(row.config.get("content"), SecretText)
    if found.content is None or not seal.knows(row.private, found.content):
        differing["content"] = shown_content(found, secret=secret)
    if found.content is not None and not secret:
        attributes["sha256"] = seal.digest(found.content)
    return Reading(attributes, differing, claims_of(path))


def claims_of(path: str) -> tuple[str, ...]:
    """Return what a file owns alone. Directories may be shared."""
    return (f"the path `{path}`",)


def shown_content(found: disk.Found, *, secret: bool) -> str:
    """Return the content for people to compare, unless it may be a secret or is no text."""
    if found.content is None or secret:
        return f"({found.size} bytes that were not written by Dirigent)"
    try:
        return found.content.decode()
    except UnicodeDecodeError:
        return f"({found.size} bytes that are no text)"


def _owners(row: ResourceRow, found: disk.Found) -> dict[str, Value]:
    """Return owner and group where they are configured and differ, as numbers."""
    differing: dict[str, Value] = {}
    for key, actual in (("owner", found.uid), ("group", found.gid)):
        wanted = row.config.get(key)
        if wanted is None:
            continue
        names = {"owner": None, "group": None} | {key: str(wanted)}
        try:
            numbers = disk.owner_ids(names["owner"], names["group"])
        except ProviderFailed:
            # The name is unknown by now, so the number cannot be the one it had.
            numbers = (-1, -1)
        if actual not in numbers:
            differing[key] = str(actual)
    return differing
