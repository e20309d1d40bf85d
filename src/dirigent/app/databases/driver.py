"""The rooms that need the driver of PostgreSQL, an extra: imported when a store is named by a URL."""

from __future__ import annotations

import importlib
from importlib.util import find_spec
from types import ModuleType

from dirigent.model.problem import refuse

DRIVER = "asyncpg"


def room(name: str) -> ModuleType:
    """Return a module that needs the driver. Raises `Refusal` (E5040) where it is not installed."""
    if find_spec(DRIVER) is None:
        raise refuse(
            "E5040",
            f"a store on PostgreSQL needs the driver `{DRIVER}`, which is not installed",
            "install it with: pip install 'dirigent[postgresql]'",
        )
    return importlib.import_module(name)
