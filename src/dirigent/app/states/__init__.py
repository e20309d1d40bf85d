"""States of Terraform and OpenTofu: the files, the providers that know the types, and the seal."""

from __future__ import annotations

import importlib
from types import ModuleType
from typing import Final

from dirigent.app.protocols.extras import require

EXCHANGE: Final = "dirigent.app.states.exchange"


def exchanging() -> ModuleType:
    """Return what takes and gives states. Raises `Refusal` (E4140) where its packages are not installed."""
    require("a state of Terraform", "tofu", "grpc", "google.protobuf", "cryptography")
    return importlib.import_module(EXCHANGE)
