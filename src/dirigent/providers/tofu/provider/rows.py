"""What is kept of an object in its row, beside its attributes, and the binding of a plan.

The written forms are known here only. What a provider alone understands is sealed: some keep secrets in it.
"""

from __future__ import annotations

import base64
from typing import Final

from dirigent.model.problem import refuse
from dirigent.model.record import dataclass
from dirigent.model.resource import ResourceRow
from dirigent.model.values import Value, has_unknown
from dirigent.providers.tofu.lifecycle.session import Standing
from dirigent.providers.tofu.provider.secrecy import Secrecy
from dirigent.providers.tofu.sealing import token_of
from dirigent.providers.tofu.values.coding import decode, encode
from dirigent.providers.tofu.values.types import Type

_PLANNED: Final = "planned"
_PRIOR: Final = "prior"
_PRIVATE: Final = "private"
_INPUTS: Final = "inputs"
_PLANNED_PRIVATE: Final = "planned private"
_LEGACY: Final = "legacy"
_IDENTITY: Final = "identity"
_PRIOR_IDENTITY: Final = "prior identity"
_PRIOR_IDENTITY_VERSION: Final = "prior identity version"


@dataclass(frozen=True, slots=True)
class Kept:
    """What a row keeps for a provider. `version` is that of the schema which the attributes fit."""

    source: str
    version: int = 0
    private: bytes = b""
    identity: dict[str, Value] | None = None
    identity_version: int = 0

    def written(self, secrecy: Secrecy) -> Value:
        """Return it as `ResourceRow.private`."""
        sealed = secrecy.seal.close(_text(self.private)) if self.private else None
        kept: dict[str, Value] = {"source": self.source, "version": self.version, "private": sealed}
        if self.identity is None:
            return kept
        return kept | {"identity": self.identity, "identity_version": self.identity_version}


def kept_of(row: ResourceRow, secrecy: Secrecy) -> Kept:
    """Return what a row keeps. Raises `Refusal` (E3018)."""
    found = row.private if isinstance(row.private, dict) else {}
    version = found.get("version")
    private = secrecy.reveal(found.get("private"))
    identity, identity_version = found.get("identity"), found.get("identity_version")
    return Kept(
        str(found.get("source") or ""),
        version if isinstance(version, int) else 0,
        base64.b64decode(private) if isinstance(private, str) else b"",
        identity if isinstance(identity, dict) else None,
        _version(identity_version),
    )


def standing_of(row: ResourceRow, kept: Kept, secrecy: Secrecy) -> Standing:
    """Return the object of a row as its provider left it; `kept` is of this row. Raises `Refusal` (E3018)."""
    state = secrecy.reveal(row.attributes)
    found = state if isinstance(state, dict) else {}
    return Standing(found, kept.private, kept.identity, kept.identity_version)


def kept_from(standing: Standing, source: str, version: int) -> Kept:
    """Return what the row of an object keeps; `version` is that of the schema of its type."""
    return Kept(source, version, standing.private, standing.identity, standing.identity_version)


@dataclass(frozen=True, slots=True)
class Binding:
    """What was approved: the planned state, and what stood when it was planned (None: what the row says).

    `inputs` is the digest of all that the plan was made of, empty where some of it was not known yet:
    while it is the same the plan stands, with its `private` bytes, and need not be made again.
    """

    planned: dict[str, Value]
    prior: Standing | None = None
    inputs: str = ""
    private: bytes = b""
    legacy: bool = False
    identity: dict[str, Value] | None = None

    def written(self, kind: Type, secrecy: Secrecy) -> Value:
        """Return it as `Proposal.binding`, sealed as a whole."""
        found: dict[str, Value] = {_PLANNED: _text(encode(self.planned, kind))}
        if self.prior is not None:
            found[_PRIOR] = _text(encode(self.prior.state, kind))
            found[_PRIVATE] = _text(self.prior.private)
            if self.prior.identity is not None:
                found[_PRIOR_IDENTITY] = self.prior.identity
                found[_PRIOR_IDENTITY_VERSION] = self.prior.identity_version
        if self.identity is not None and not has_unknown(self.identity):
            found[_IDENTITY] = self.identity
        if self.inputs:
            found |= {_INPUTS: self.inputs, _PLANNED_PRIVATE: _text(self.private), _LEGACY: self.legacy}
        return secrecy.seal.close(found)


def binding_of(written: Value, kind: Type, secrecy: Secrecy) -> Binding | None:
    """Return what was approved, None where nothing was. Raises `Refusal` (E3018, E3019)."""
    token = token_of(written)
    if token is None:
        return None
    found = secrecy.seal.open(token)
    planned = decode(base64.b64decode(str(found[_PLANNED])), kind) if isinstance(found, dict) else None
    if not isinstance(found, dict) or not isinstance(planned, dict):
        raise refuse("E3019", "what was approved cannot be read any more", "make the plan again")
    prior: Standing | None = None
    if _PRIOR in found:
        state = decode(base64.b64decode(str(found[_PRIOR])), kind)
        private = base64.b64decode(str(found.get(_PRIVATE) or ""))
        prior = Standing(
            state if isinstance(state, dict) else {},
            private,
            _object(found.get(_PRIOR_IDENTITY)),
            _version(found.get(_PRIOR_IDENTITY_VERSION)),
        )
    return Binding(
        planned,
        prior,
        str(found.get(_INPUTS) or ""),
        base64.b64decode(str(found.get(_PLANNED_PRIVATE) or "")),
        found.get(_LEGACY) is True,
        _object(found.get(_IDENTITY)),
    )


def _version(value: Value) -> int:
    return value if isinstance(value, int) else 0


def _object(value: Value) -> dict[str, Value] | None:
    return value if isinstance(value, dict) else None


def _text(content: bytes) -> str:
    return base64.b64encode(content).decode()
