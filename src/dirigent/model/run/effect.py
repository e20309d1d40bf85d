"""One attempt of an effect, as a performer gets it, and the three ways in which it can end."""

from __future__ import annotations

from dataclasses import field
from typing import Final, TypeAlias

from dirigent.model.fault import Fault
from dirigent.model.ids import EffectId, Position, RunId
from dirigent.model.program import OnDoubt
from dirigent.model.record import dataclass
from dirigent.model.run.journal import ResourceChanged
from dirigent.model.values import Value

PAUSED: Final = "failed"
"""The member of a held step's evidence that says how it failed: nobody is in doubt, it waits to be mended."""


@dataclass(frozen=True, slots=True)
class Order:
    """What to do. `id` is the same on every attempt; `request` is byte for byte what was recorded.

    `doubtful` says that an engine died between the intent and the result: the effect may have
    happened. The performer resolves that by the means of its kind (repeat, same key, ask first,
    re-attach), else it answers `Doubt`; `on_doubt` is the author's policy for that case.
    `hosts` are the network hosts that this run may reach, `queue` is the one that admitted it, `probes` are
    the declarations of `policy.http.probes`. `known` is the id under which a person says that there is what
    the effect was to make: it is only looked up.
    """

    run: RunId
    position: Position
    attempt: int
    id: EffectId
    function: str
    request: Value
    on_doubt: OnDoubt = OnDoubt.HOLD
    doubtful: bool = False
    depth: int = 0
    hosts: tuple[str, ...] = ()
    queue: str = ""
    probes: tuple[Value, ...] = ()
    known: str = ""


@dataclass(frozen=True, slots=True)
class Done:
    """It happened. `records` are resource changes that belong into the same commit."""

    output: Value
    records: tuple[ResourceChanged, ...] = ()


@dataclass(frozen=True, slots=True)
class Broken:
    """It ended without success; what changed all the same is in `records`."""

    fault: Fault
    records: tuple[ResourceChanged, ...] = ()


@dataclass(frozen=True, slots=True)
class Doubt:
    """Nobody can say. The run is held and shows this; what changed all the same is in `records`."""

    reason: str
    evidence: dict[str, Value] = field(default_factory=dict)
    records: tuple[ResourceChanged, ...] = ()


Outcome: TypeAlias = Done | Broken | Doubt
