"""How the schema comes to be, and grows: numbered migrations, forwards only, one process at a time.

Rule: each file says, in its first line, which release's schema still works with it (`-- keeps: N`). What
takes something away (contract) comes at least one migration after what no longer needs it (expand).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final, cast

from dirigent.model.problem import refuse
from dirigent.model.record import dataclass
from dirigent.settings import DatabaseUrl
from dirigent.stores.postgres.session.link import Link
from dirigent.stores.postgres.session.statements import FOLDER

# An arbitrary number that no other program on the database is likely to lock ("DRGT", as SQLite files say).
LOCK: Final = 0x44524754
OLDEST_SERVER: Final = 130000
_KEEPS: Final = re.compile(r"^-- keeps: (\d+)$", re.MULTILINE)

_IDENTIFY: Final = """
select current_setting('server_version_num')::integer, current_setting('server_encoding'),
  to_regclass('dirigent.release') is not null,
  to_regnamespace('dirigent') is not null and exists (
    select 1 from pg_catalog.pg_class where relnamespace = to_regnamespace('dirigent'))
"""
_VERSION: Final = "select version, keeps from dirigent.release"
_FIRST: Final = """
create schema if not exists dirigent;
create table if not exists dirigent.release (
  only_row integer primary key check (only_row = 1), version integer not null, keeps integer not null
);
insert into dirigent.release values (1, 0, 0) on conflict do nothing
"""

_STEP: Final = """
do $step$ begin if (select version from dirigent.release) = BEFORE then
BODY
update dirigent.release set version = AFTER, keeps = KEEPS;
end if; end $step$;
"""


@dataclass(frozen=True, slots=True)
class Migration:
    """A step of the schema; `keeps` is the oldest release, in migrations, that goes on working with it."""

    text: str
    keeps: int


def known(folder: Path = FOLDER) -> tuple[Migration, ...]:
    """Return the migrations of this release, in order."""
    texts = [file.read_text(encoding="utf-8") for file in sorted(folder.glob("[0-9]*.sql"))]
    return tuple(Migration(text, _keeps(text)) for text in texts)


def _keeps(text: str) -> int:
    found = _KEEPS.search(text)
    return int(found.group(1)) if found else 0


async def migrate(link: Link, migrations: Sequence[Migration]) -> None:
    """Bring the schema to this release, or leave a newer one that keeps this release working.

    Raises:
        Refusal: E5043 for a schema of another program or one that is too new, E5046 for a server that
            will not do.
    """
    version, keeps = await examine(link)
    if version > len(migrations):
        _refuse_newer(link.url, version, keeps, len(migrations))
        return
    if version < len(migrations):
        await link.lasting(lambda: link.script(_script(migrations)))
        version, keeps = await examine(link)
        _refuse_newer(link.url, version, keeps, len(migrations))


async def examine(link: Link) -> tuple[int, int]:
    """Return the version of the schema (0 for none) and the oldest that works with it. Changes nothing."""
    number, encoding, ours, filled = (await link.fetch(_IDENTIFY))[0]
    if cast("int", number) < OLDEST_SERVER or encoding != "UTF8":
        raise refuse(
            "E5046",
            f"the server of `{link.url}` will not do: version `{number}`, encoding `{encoding}`",
            "use PostgreSQL 13 or newer, and a database made with `--encoding=UTF8`",
        )
    if not ours and filled:
        raise refuse(
            "E5043",
            f"the schema `dirigent` of `{link.url}` belongs to another program",
            "name another database",
        )
    if not ours:
        return 0, 0
    version, keeps = (await link.fetch(_VERSION))[0]
    return cast("int", version), cast("int", keeps)


def check_readable(url: DatabaseUrl, version: int, keeps: int) -> None:
    """Refuse (E5043) a store that is older than this release: who only reads does not upgrade it."""
    if 0 < version < len(known()):
        raise refuse(
            "E5043",
            f"`{url}` has schema version `{version}`, which a reader cannot bring to `{len(known())}`",
            "start an engine once (`dirigent serve`): it upgrades the store",
        )
    if version:
        _refuse_newer(url, version, keeps, len(known()))


def _script(migrations: Sequence[Migration]) -> str:
    """Return one transaction that runs what is missing, whoever else is about to run it too."""
    steps = [f"select pg_advisory_xact_lock({LOCK}); {_FIRST};"]
    for number, migration in enumerate(migrations, 1):
        values = {"BEFORE": number - 1, "AFTER": number, "KEEPS": migration.keeps}
        step = _STEP
        for word, value in values.items():
            step = step.replace(word, str(value))
        steps.append(step.replace("BODY", migration.text.rstrip().removesuffix(";") + ";"))
    return "\n".join(steps)


def _refuse_newer(url: DatabaseUrl, version: int, keeps: int, ours: int) -> None:
    if version > ours < keeps or version < ours:
        raise refuse(
            "E5043",
            f"`{url}` has schema version `{version}`; this release knows versions up to `{ours}`",
            "upgrade Dirigent, or restore the backup that was made before the upgrade",
        )
