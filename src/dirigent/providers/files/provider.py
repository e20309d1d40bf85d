"""The provider of `file` and `directory`: reads, proposes, and applies through `disk`.

A doubtful creation is ours if what stands there has the content that we were to write. Deleting is
for what we wrote: a file with another content is left, and so is a directory that is not empty.
"""

from __future__ import annotations

import asyncio
import os

from dirigent.model.problem import Problem, Refusal
from dirigent.model.resource import ResourceRow
from dirigent.model.values import Unknown, Value
from dirigent.ports import Vault
from dirigent.ports.resources import Operation, Proposal, Reading
from dirigent.providers.files import disk, seal
from dirigent.providers.files.reading import claims_of, reading_of
from dirigent.providers.files.site import Site
from dirigent.providers.files.taking import taken
from dirigent.providers.files.wish import DIRECTORY, FILE, Wish, shown_mode, wish_of
from dirigent.providers.files.work import put_directory, put_file, take_away


class FilesProvider:
    """Implements `ports.resources.Provider`. `folder` is where relative paths start and must stay inside."""

    def __init__(self, folder: str, vault: Vault, record: str | None = None) -> None:
        """Keep the folder, absolute, and the vault that reveals secret contents.

        `record` is the file in which the directories stand that were made on the way to others.
        """
        self._vault = vault
        self._site = Site(os.path.abspath(folder), record)

    @property
    def types(self) -> frozenset[str]:
        """Return `file` and `directory`."""
        return frozenset({FILE, DIRECTORY})

    def holds(self, row: ResourceRow, *, drifted: bool) -> str:
        """Return what nobody could write again: what was changed by hand. A directory goes only empty."""
        return "what was changed in it since" if drifted and row.type == FILE else ""

    async def read(self, row: ResourceRow) -> Reading:
        """Look at what stands there; a content is compared by its digest."""
        return await asyncio.to_thread(reading_of, row)

    async def propose(self, type_name: str, prior: ResourceRow | None, config: dict[str, Value]) -> Proposal:
        """Check the configuration and foretell the attributes.

        Raises:
            Refusal: E3101-E3103 for the configuration; E3104 if a file is in the way of a new one.
        """
        return await self._proposed(prior, type_name, config)

    async def succeed(self, former: ResourceRow, type_name: str, config: dict[str, Value]) -> Proposal:
        """Foretell what takes the place of a former one, whose path is free by then. Raises as `propose`."""
        return await self._proposed(former, type_name, config)

    async def _proposed(
        self, standing: ResourceRow | None, type_name: str, config: dict[str, Value]
    ) -> Proposal:
        """Return the proposal; what stands of our own is not in the way."""
        wish = wish_of(type_name, config, self._site.folder)
        attributes = _foretold(wish, config)
        path = attributes["path"]
        is_there = standing is not None and standing.attributes.get("path") == path
        if type_name == FILE and isinstance(path, str) and not wish.adopt and not is_there:
            await asyncio.to_thread(_refuse_in_the_way, path)
        claims = claims_of(path) if type_name == FILE and isinstance(path, str) else ()
        return Proposal(attributes, replace=("path",), claims=claims)

    async def adopt(self, type_name: str, identity: str, config: dict[str, Value]) -> Reading:
        """Look at what exists: the id is its path. Raises as `taking.taken` does."""
        return await asyncio.to_thread(taken, type_name, identity, config, self._vault, self._site.folder)

    async def apply(self, operation: Operation) -> tuple[dict[str, Value], Value]:
        """Create, update or delete; an order may be given again at any time.

        Raises:
            ProviderFailed: E3101-E3107; nothing is left of a creation that failed.
        """
        if operation.action == "forget":
            return {}, None
        if operation.action == "delete":
            return await asyncio.to_thread(take_away, operation, self._site)
        wish = wish_of(operation.type, operation.config, self._site.folder)
        if operation.type == DIRECTORY:
            return await asyncio.to_thread(put_directory, operation, wish, self._site)
        content = str(self._vault.reveal(wish.content)).encode()
        return await asyncio.to_thread(put_file, operation, wish, content, self._site)

    async def abandon(self, operation: Operation) -> None:
        """Remove what an interrupted write has left beside its target."""
        if operation.type == FILE and operation.action != "delete":
            wish = wish_of(operation.type, operation.config, self._site.folder)
            await asyncio.to_thread(disk.discard, wish.path, operation.order.id)


def _foretold(wish: Wish, config: dict[str, Value]) -> dict[str, Value]:
    """Return the attributes, `Unknown` where they hang on what is not known or is secret."""
    attributes: dict[str, Value] = {"path": wish.path, "mode": shown_mode(wish.creation_mode)}
    if wish.type == DIRECTORY and wish.mode is None:
        # One that is there already keeps its mode.
        attributes["mode"] = Unknown()
    for key in ("path", "mode"):
        if isinstance(config.get(key), Unknown):
            attributes[key] = Unknown()
    if wish.type == DIRECTORY:
        return attributes
    attributes |= {"sha256": Unknown(), "bytes": Unknown()}
    if isinstance(wish.content, str):
        content = wish.content.encode()
        attributes |= {"sha256": seal.digest(content), "bytes": len(content)}
    elif wish.secret:
        attributes["sha256"] = None
    return attributes


def _refuse_in_the_way(path: str) -> None:
    """Refuse already in the plan what `work` would refuse; anything but a file may go before apply."""
    found = disk.look(path)
    if found is not None and found.kind == "file":
        raise Refusal(
            [
                Problem(
                    "E3104",
                    f"`{path}` exists and was not made by this resource",
                    label="path",
                    help=(
                        "move it away, or set `adopt: true` to replace it",
                        "if another resource has made it, run `dirigent up` without this one first",
                    ),
                )
            ]
        )
