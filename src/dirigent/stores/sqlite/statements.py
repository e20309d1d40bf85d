"""The statements and migrations of the SQLite store, read from its SQL files."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from dirigent.stores import scripts

_FOLDER: Final = Path(__file__).parent / "sql"

SQL: Final = scripts.named(_FOLDER / "statements.sql")
MIGRATIONS: Final = scripts.numbered(_FOLDER)

# How many journal ids one row of `places` stands for; the figure is in the SQL too, as 512.
STRETCH: Final = 512
