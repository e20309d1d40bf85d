"""The collector of cyclic garbage while an engine runs: seldom, and not over what was there before.

What a step makes is let go by counting references; a collection after every 700 new objects looks at the
same living runs again and again.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

# New objects between two collections; garbage of so many objects is some 2 MiB.
NEW_OBJECTS: Final = 10_000


@contextmanager
def collected_rarely() -> Iterator[None]:
    """Collect seldom until the block ends, then as before.

    A collector that the program has switched off, or set to at least this, is left as it is.
    """
    before = gc.get_threshold()
    if not gc.isenabled() or not 0 < before[0] < NEW_OBJECTS:
        yield
        return
    gc.freeze()
    gc.set_threshold(NEW_OBJECTS, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()
