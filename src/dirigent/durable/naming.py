"""How functions are named in journals, so that every later process finds them by importing their module."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final, ParamSpec

P = ParamSpec("P")
MAIN: Final = "__main__"


def module_of(function: Callable[P, object]) -> str:
    """Return the module by which another process imports a function; a script is known by its file."""
    return main_name() if function.__module__ == MAIN else function.__module__


def main_name() -> str:
    """Return the name by which another process imports the script that runs here."""
    main = sys.modules[MAIN]
    spec = getattr(main, "__spec__", None)
    if spec is not None and spec.name:
        return str(spec.name).removesuffix(".__main__")
    file = getattr(main, "__file__", None)
    return Path(file).stem if file else MAIN


def name_of(function: Callable[P, object]) -> str:
    """Return the name of a function in its module, or refuse one that no other process could find."""
    name = function.__qualname__
    if "<" in name:
        raise ValueError(
            f"`{name}` stands inside a function, where no later process finds it: put it at the top"
        )
    return name
