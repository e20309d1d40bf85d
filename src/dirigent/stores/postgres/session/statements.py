"""The statements and migrations of the PostgreSQL store, read from its SQL files."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from dirigent.stores import scripts

FOLDER: Final = Path(__file__).parents[1] / "sql"
SQL: Final = {**scripts.named(FOLDER / "statements.sql"), **scripts.named(FOLDER / "keeping.sql")}
# The number of the newest migration that this release knows: what engines tell each other of themselves.
RELEASE: Final = max(int(file.name[:4]) for file in FOLDER.glob("[0-9]*.sql"))
