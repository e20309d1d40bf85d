"""The types that a stack may use, and the providers that manage them. A run without a stack needs neither."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Final, Protocol

from dirigent.app.planning import Close, inherited
from dirigent.app.protocols.extras import require
from dirigent.app.stacks import Surrounding
from dirigent.lang.stack import TypeShape
from dirigent.ports import Vault
from dirigent.ports.resources import Managing
from dirigent.providers.files import FilesProvider
from dirigent.providers.files.shape import TYPES as FILE_TYPES
from dirigent.providers.services.provider import ServiceProvider
from dirigent.providers.services.shape import SERVICE

TOFU: Final = "dirigent.app.protocols.tofu"
TYPES: Final[Mapping[str, TypeShape]] = {**FILE_TYPES, "service": SERVICE}


class Pool(Protocol):
    """The processes of providers."""

    async def close(self) -> None:
        """End them."""
        ...


def providers_of(around: Surrounding, vault: Vault) -> tuple[dict[str, Managing], Close | None]:
    """Build the providers, by the keys under which they are found, and what ends them."""
    folder = str(around.folder.absolute())
    files = FilesProvider(folder, vault, around.settings.made)
    services = ServiceProvider(around.settings.services, folder, inherited(), vault)
    ours: dict[str, Managing] = {
        **dict.fromkeys(files.types, files),
        **dict.fromkeys(services.types, services),
    }
    if around.stack is None or not around.stack.providers:
        return ours, None
    require("a provider of OpenTofu", "tofu", "grpc", "google.protobuf", "cryptography")
    tofu = importlib.import_module(TOFU)
    pool: Pool = tofu.pool_of(around)
    declared: dict[str, Managing] = tofu.providers_of(around, vault, pool)
    return {**ours, **declared}, pool.close
