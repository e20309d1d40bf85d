"""Names of things, as distinct types, and the one derivation of an effect's identity.

A position names one activation of a task inside a run: the task's JSON pointer, with the
iteration of every loop and the visit of every jump in it, but never the attempt of a retry.
"""

from __future__ import annotations

import re
from hashlib import blake2b
from typing import NewType

RunId = NewType("RunId", str)
PlanId = NewType("PlanId", str)
Digest = NewType("Digest", str)
Position = NewType("Position", str)
EffectId = NewType("EffectId", str)
Address = NewType("Address", str)

# A key is a whole number, or has no double quote.
_KEY = re.compile(r'\[(?:[0-9]+|"[^"]*")\]')
_WRITTEN_OUT = re.compile(rf'[^\["/]+(?:{_KEY.pattern})?(?:/[^\["/]+(?:{_KEY.pattern})?)*')
# A slash that is in no bracket.
_BORDER = re.compile(r"/(?![^\[]*\])")

DEPOSED = "#deposed"
"""Behind an address: what a replacement has left there, until it is deleted."""


def effect_id(run: RunId, position: Position) -> EffectId:
    """Return the identity of an effect: the same on every attempt, restart and machine.

    It is sent as `Idempotency-Key`, names spool directories, and makes child run ids.
    """
    return EffectId(blake2b(f"{run}\n{position}".encode(), digest_size=16).hexdigest())


def digest_of(content: bytes) -> Digest:
    """Return the content hash under which a definition is stored."""
    return Digest(blake2b(content, digest_size=20).hexdigest())


def address_of(name: str, key: int | str | None) -> Address:
    """Return the address of one instance: `web`, `web[0]` for `count`, `web["eu"]` for `each`.

    The name is a path for what lies in a module: `net["eu"]/web`.
    """
    if key is None:
        return Address(name)
    return Address(f"{name}[{key}]" if isinstance(key, int) else f'{name}["{key}"]')


def split_address(address: str) -> tuple[str, int | str | None]:
    """Return the name and the key of an address; the inverse of `address_of`."""
    if not address.endswith("]"):
        return address, None
    if address.endswith('"]'):
        # No key has a double quote, so the last quote before the closing one opens it.
        name, bracket, key = address[:-2].rpartition('["')
        return (name, key) if bracket else (address, None)
    name, bracket, index = address[:-1].rpartition("[")
    return (name, int(index)) if bracket and index.isdecimal() else (address, None)


def split_path(address: str) -> tuple[str, str]:
    """Return the address of the module that something lies in, empty for none, and its address there.

    `net["eu"]/web[0]` is `web[0]` in `net["eu"]`. A slash within quotes is part of a key.
    """
    module, slash, local = address.rpartition("/")
    while slash and module.count('"') % 2:
        module, slash, rest = module.rpartition("/")
        local = f"{rest}/{local}"
    return (module, local) if slash else ("", address)


def declared_path(address: str) -> str:
    """Return where the declaration of something stands: `net/web` for `net["eu"]/web[0]`."""
    return _KEY.sub("", bare_address(address))


def canonical(text: str) -> str:
    """Return what a user wrote as an address: a shell takes the quotes of `web["eu"]` away."""
    if _WRITTEN_OUT.fullmatch(text):
        return text
    return Address("/".join(_canonical(part) for part in _BORDER.split(text)))


def _canonical(text: str) -> str:
    name, bracket, rest = text.partition("[")
    key = rest.removesuffix("]")
    if not bracket or key == rest or not key:
        return text
    if len(key) > 1 and key[0] == key[-1] and key[0] in "\"'":
        return address_of(name, key[1:-1])
    return text if key.isdecimal() else address_of(name, key)


def bare_address(address: str) -> str:
    """Return the address of the instance whose leftover this may be."""
    return address.partition(DEPOSED)[0]


def child_run(effect: str, attempt: int) -> RunId:
    """Return the id of the run that one attempt of an effect starts."""
    return RunId(effect if attempt == 1 else f"{effect}-{attempt}")
