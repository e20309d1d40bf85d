"""Where a command works: the stack file, and the state beside it."""

from __future__ import annotations

from pathlib import Path

from dirigent.cli.given import Options
from dirigent.cli.options import STACK_FILE, STATE_FOLDER
from dirigent.model.problem import refuse
from dirigent.model.record import dataclass
from dirigent.settings import DatabaseUrl, Settings, is_database


@dataclass(frozen=True, slots=True)
class Place:
    """Where a command works: the stack file (which may be missing) and the state beside it."""

    stack_file: Path
    settings: Settings

    @property
    def folder(self) -> Path:
        """Return the folder from which relative paths start."""
        return self.stack_file.parent


def place(options: Options, stack: str = "") -> Place:
    """Return where the options `-C`, `-s`, `--state` and `--store` say that a command works.

    Raises:
        Refusal: E5049 for a URL that is none, E7020 for a store that is not one.
    """
    folder = Path(options.text("directory") or ".")
    file = folder / (stack or options.text("stack") or STACK_FILE)
    state = options.text("state")
    return Place(
        file, Settings((Path(state) if state else file.parent / STATE_FOLDER).absolute(), _database(options))
    )


def _database(options: Options) -> DatabaseUrl | None:
    store = options.text("store")
    if not store:
        return None
    if not is_database(store):
        raise refuse(
            "E7020",
            f"`{store}` is not the URL of a database",
            "write `--store postgresql://...`; a folder is named with `--state`",
        )
    return DatabaseUrl.parse(store)
