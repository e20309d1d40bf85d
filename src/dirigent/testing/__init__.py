"""For tests of Dirigent and of what users build on it: a store, time, performers, and a way to die.

Every fake passes the contract of its port (`tests/contracts`). Of the product only `dirigent test` uses it.
"""

from dirigent.testing.clock import VirtualClock
from dirigent.testing.crash import Crash, Fuse, FusedStore
from dirigent.testing.dice import Dice
from dirigent.testing.idle import IdleClock
from dirigent.testing.memory import MemoryStore
from dirigent.testing.oracle import ScriptedOracle
from dirigent.testing.performer import Rule, ScriptedPerformer, World
from dirigent.testing.shelf import MemoryDisk
from dirigent.testing.simulated import SimulatedDisk, SimulatedStore
from dirigent.testing.vault import FakeVault
from dirigent.testing.virtual import Process, Universe, UniverseClock, simulate

__all__ = [
    "Crash",
    "Dice",
    "FakeVault",
    "Fuse",
    "FusedStore",
    "IdleClock",
    "MemoryDisk",
    "MemoryStore",
    "Process",
    "Rule",
    "ScriptedOracle",
    "ScriptedPerformer",
    "SimulatedDisk",
    "SimulatedStore",
    "Universe",
    "UniverseClock",
    "VirtualClock",
    "World",
    "simulate",
]
