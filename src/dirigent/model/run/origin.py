"""Why a run was made, where nobody simply asked for it."""

from __future__ import annotations

from dirigent.model.record import dataclass


@dataclass(frozen=True, slots=True)
class Origin:
    """`kind` is `rerun` of the run `of`, or `schedule`: the occurrence `of` a schedule that was due at `due`.

    `due` is in seconds since the epoch; `by` and `reason` are of the person who asked for it, if one did.
    """

    kind: str
    of: str
    due: float = 0.0
    by: str = ""
    reason: str = ""
