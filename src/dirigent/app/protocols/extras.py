"""Performers that need an extra: their builders are imported only where its packages are installed."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from importlib.util import find_spec
from typing import TypeAlias

from dirigent.app.planning import Parts
from dirigent.app.stacks import Surrounding
from dirigent.model.problem import refuse
from dirigent.ports import Performer

Build: TypeAlias = Callable[[Surrounding, Parts], Performer]


def grpc(around: Surrounding, parts: Parts) -> Performer:
    """Build the performer of `call: grpc`. Raises `Refusal` (E4140) where its packages are not installed."""
    require("a call over gRPC", "grpc", "grpc", "grpc_tools", "google.protobuf")
    build: Build = importlib.import_module("dirigent.app.protocols.grpc").grpc
    return build(around, parts)


def require(what: str, extra: str, *modules: str) -> None:
    """Raise `Refusal` (E4140) unless all these modules are installed."""
    missing = [name for name in modules if not _installed(name)]
    if missing:
        raise refuse(
            "E4140",
            f"{what} needs the package of `{missing[0]}`, which is not installed",
            f"install it with: pip install 'dirigent[{extra}]'",
        )


def _installed(name: str) -> bool:
    try:
        return find_spec(name) is not None
    except ModuleNotFoundError:
        return False  # Not even the package that holds it is there.
