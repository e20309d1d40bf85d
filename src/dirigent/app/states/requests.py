"""What is wanted of a state that comes or goes, and what became of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from dirigent.app.states.ancestry import Ancestry
from dirigent.model.record import dataclass
from dirigent.model.resource import ResourceRow


@dataclass(frozen=True, slots=True)
class Wanted:
    """How a state is taken: names given as `TYPE.NAME=OURS`, and whether what is not declared comes too."""

    names: Sequence[str] = ()
    undeclared: bool = False


@dataclass(frozen=True, slots=True)
class Import:
    """What an import brings, what of it stays behind, and what the next export goes on with."""

    rows: tuple[ResourceRow, ...]
    data: int
    outputs: int
    ancestry: Ancestry


@dataclass(frozen=True, slots=True)
class Target:
    """Where an export goes. `before` is the state that the file holds, `registry` a host that is wanted.

    With `replacing` it may be a state of another lineage, or one with objects that are not known here.
    """

    before: bytes | None = None
    registry: str = ""
    names: Sequence[str] = ()
    replacing: bool = False


@dataclass(frozen=True, slots=True)
class Export:
    """The text of a state, what is in it, and what the next export goes on with.

    `text` is empty when the file says so already.
    """

    text: str
    resources: int
    left_out: Mapping[str, int]
    ancestry: Ancestry
