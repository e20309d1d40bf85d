"""Names of things, as distinct types, and the one derivation of an effect's identity.

A position names one activation of a task inside a run: the task's JSON pointer, with the
iteration of every loop and the visit of every jump in it, but never the attempt of a retry.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import NewType

RunId = NewType("RunId", str)
PlanId = NewType("PlanId", str)
Digest = NewType("Digest", str)
Position = NewType("Position", str)
EffectId = NewType("EffectId", str)
Address = NewType("Address", str)

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
    """Return the address of one instance: `web`, `web[0]` for `count`, `web["eu"]` for `each`."""
    if key is None:
        return Address(name)
    return Address(f"{name}[{key}]" if isinstance(key, int) else f'{name}["{key}"]')


def split_address(address: str) -> tuple[str, int | str | None]:
    """Return the name and the key of an address; the inverse of `address_of`."""
    name, bracket, rest = address.partition("[")
    key = rest.removesuffix("]")
    if not bracket or key == rest:
        return address, None
    if len(key) > 1 and key[0] == key[-1] == '"':
        return name, key[1:-1]
    return (name, int(key)) if key.isdecimal() else (address, None)


def canonical(text: str) -> str:
    """Return what a user wrote as an address: a shell takes the quotes of `web["eu"]` away."""
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
