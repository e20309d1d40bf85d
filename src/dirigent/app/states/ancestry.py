"""Which state of Terraform the resources came from: its lineage goes on when they go back.

Kept beside the store. It is no truth of ours: without it, a state that is exported begins a lineage.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import field
from pathlib import Path

from dirigent.app.states import files
from dirigent.model.problem import refuse
from dirigent.model.record import dataclass


@dataclass(frozen=True, slots=True)
class Ancestry:
    """The lineage, and the highest serial there was of it.

    `names` says what Terraform calls a resource of ours, where that cannot be told from our name;
    `registry` is the host that its providers came from, `terraform` the release that wrote it.
    """

    lineage: str
    serial: int = 0
    names: Mapping[str, str] = field(default_factory=dict)
    registry: str = ""
    terraform: str = ""


def ancestry(path: str) -> Ancestry | None:
    """Return what is recorded, None where nothing is. Raises `Refusal` (E3064)."""
    content = files.existing(path)
    if content is None:
        return None
    try:
        found: object = json.loads(content)
    except ValueError:
        found = None
    match found:
        case {
            "lineage": str() as lineage,
            "serial": int() as serial,
            "names": dict() as names,
            "registry": str() as registry,
            "terraform": str() as terraform,
        }:
            known = {str(ours): str(theirs) for ours, theirs in names.items()}
            return Ancestry(lineage, serial, known, registry, terraform)
        case _:
            raise refuse(
                "E3064",
                f"`{path}` is not what an import or an export has written",
                "remove it: the next export then begins a lineage, or goes on with that of its file",
            )


def record(path: str, known: Ancestry) -> None:
    """Record what the next export goes on with. Raises `Refusal` (E3064)."""
    content = {
        "lineage": known.lineage,
        "serial": known.serial,
        "names": dict(sorted(known.names.items())),
        "registry": known.registry,
        "terraform": known.terraform,
    }
    text = json.dumps(content, indent=1) + "\n"
    if files.existing(path) != text.encode():
        Path(path).parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        files.write(path, text)
