"""For tests of Dirigent and of what users build on it: a store, a clock, performers, and a way to die.

Every fake passes the contract of its port (`tests/contracts`). Nothing here is used by the product.
"""

from dirigent.testing.clock import VirtualClock
from dirigent.testing.crash import Crash, Fuse, FusedStore
from dirigent.testing.memory import MemoryStore
from dirigent.testing.oracle import ScriptedOracle
from dirigent.testing.performer import Rule, ScriptedPerformer, World
from dirigent.testing.shelf import MemoryDisk
from dirigent.testing.vault import FakeVault

__all__ = [
    "Crash",
    "FakeVault",
    "Fuse",
    "FusedStore",
    "MemoryDisk",
    "MemoryStore",
    "Rule",
    "ScriptedOracle",
    "ScriptedPerformer",
    "VirtualClock",
    "World",
]
