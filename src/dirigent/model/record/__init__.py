"""`dataclass` as the standard library's, whose methods are written when they are first called.

Rule: to a type checker this is `dataclasses.dataclass` itself (`__init__.pyi`); to a program it behaves so.
Half of a start went into compiling methods of some three hundred classes, of which most never run.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

from dirigent.model.record.methods import furnish

__all__ = ["dataclass"]


def dataclass(
    cls: type | None = None, /, *, frozen: bool = False, slots: bool = False, eq: bool = True
) -> type | Callable[[type], type]:
    """Decorate a class as `dataclasses.dataclass` does. `order` and the rarer options are not offered."""

    def decorate(wanted: type) -> type:
        if wanted.__doc__ is None:
            # Else the signature is asked for to make one, which takes longer than all the rest.
            wanted.__doc__ = wanted.__name__
        plain = dataclasses.dataclass(init=False, repr=False, eq=False, slots=slots)(wanted)
        return furnish(plain, frozen=frozen, eq=eq)

    return decorate if cls is None else decorate(cls)
