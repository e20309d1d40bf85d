"""Taking over a file or a directory that exists: what it would have been made from, as it stands."""

from __future__ import annotations

import os
from collections.abc import Mapping

from dirigent.model.problem import refuse
from dirigent.model.values import SecretText, Value
from dirigent.ports import Vault
from dirigent.ports.resources import Reading
from dirigent.providers.files import disk, seal
from dirigent.providers.files.reading import GONE, claims_of, shown_content
from dirigent.providers.files.wish import DIRECTORY, FILE, shown_mode


def taken(type_name: str, path: str, config: Mapping[str, Value], vault: Vault, folder: str) -> Reading:
    """Return what stands at a path, relative to the folder or absolute. A directory is never ours to delete.

    Raises:
        Refusal: E3101 for an empty path.
        ProviderFailed: E3107 when the system does not let us look.
    """
    if not path or "\x00" in path:
        raise refuse("E3101", f"`{path}` is not a path", "the id of a file is its path")
    whole = os.path.normpath(os.path.join(folder, path))
    with disk.reported("read", whole):
        found = disk.look(whole)
    if found is None or found.kind != (DIRECTORY if type_name == DIRECTORY else FILE):
        return GONE
    wanted = config.get("path")
    same = isinstance(wanted, str) and os.path.normpath(os.path.join(folder, wanted)) == whole
    mode = shown_mode(found.mode)
    # What the stack does not speak of is left as it is; what it does, it is compared with.
    made: dict[str, Value] = {"path": wanted if same else path}
    made |= {"adopt": config["adopt"]} if "adopt" in config else {}
    made |= {"mode": mode} if "mode" in config else {}
    made |= {key: _owner(config[key], key, found) for key in ("owner", "group") if key in config}
    if type_name == DIRECTORY:
        return Reading({"path": whole, "mode": mode}, made, (), {"made": False, "parents": []})
    content = found.content or b""
    secret = isinstance(config.get("content"), SecretText)
    made["content"] = _content(config.get("content"), found, vault)
    kept: dict[str, Value] = seal.seal(content, os.urandom(16).hex()) if secret else {}
    kept = kept or {"sha256": seal.digest(content)}
    attributes: dict[str, Value] = {
        "path": whole,
        "bytes": found.size,
        "mode": mode,
        "sha256": kept.get("sha256"),
    }
    return Reading(attributes, made, claims_of(whole), {**kept, "parents": []})


def _content(wanted: Value, found: disk.Found, vault: Vault) -> Value:
    """Return the content in terms of what is wanted, where that may not be shown."""
    if not isinstance(wanted, SecretText):
        return shown_content(found, secret=False)
    if str(vault.reveal(wanted)).encode() == found.content:
        return wanted
    return shown_content(found, secret=True)


def _owner(wanted: Value, key: str, found: disk.Found) -> Value:
    """Return the owner or the group as it is wanted, where it is that one; else its number."""
    actual = found.uid if key == "owner" else found.gid
    names = {"owner": None, "group": None} | {key: str(wanted)}
    return wanted if actual in disk.owner_ids(names["owner"], names["group"]) else str(actual)
