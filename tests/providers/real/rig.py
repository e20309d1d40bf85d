"""What the tests of real providers share: programs that may be missing, and what a plan says."""

from __future__ import annotations

from pathlib import Path

from cli.rig import Told
from providers.tofu.conftest import FETCHED
from storms.required import needs


def built(name: str, remedy: str = "python scripts/builds.py") -> Path:
    """Return a program that Go has built; `DIRIGENT_REQUIRE` may name it, where it must be there."""
    program = FETCHED / name
    needs(name, None if program.exists() else f"`{remedy}` builds it where Go is new enough")
    return program


def actions(told: Told) -> dict[str, str]:
    """Return what a plan, printed with `--json`, is going to do: actions by address."""
    assert told.code == 0, told
    return {each["address"]: each["action"] for each in told.json["changes"] if each["action"] != "keep"}
