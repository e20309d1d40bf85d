"""The types that a stack may use, and the providers that manage them. A run without a stack needs neither."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from dirigent.app.planning import inherited
from dirigent.app.stacks import Surrounding
from dirigent.lang.stack import TypeShape
from dirigent.ports import Provider, Vault
from dirigent.providers.files import FilesProvider
from dirigent.providers.files.shape import TYPES as FILE_TYPES
from dirigent.providers.services.provider import ServiceProvider
from dirigent.providers.services.shape import SERVICE

TYPES: Final[Mapping[str, TypeShape]] = {**FILE_TYPES, "service": SERVICE}


def providers_of(around: Surrounding, vault: Vault) -> dict[str, Provider]:
    """Build the providers, by the types of resources that they manage."""
    folder = str(around.folder.absolute())
    files = FilesProvider(folder, vault, around.settings.made)
    services = ServiceProvider(around.settings.services, folder, inherited(), vault)
    return {**dict.fromkeys(files.types, files), **dict.fromkeys(services.types, services)}
