"""The work of `providers lock` and `providers mirror`."""

from __future__ import annotations

from pathlib import Path

from dirigent.app.protocols import supply
from dirigent.cli.answer import Json
from dirigent.cli.exits import Exit
from dirigent.cli.given import Options
from dirigent.cli.output import note, say, say_json
from dirigent.cli.waiting import wait_for
from dirigent.cli.work.providers.stack import surrounding
from dirigent.providers.tofu.finding.locking import Outcome
from dirigent.providers.tofu.finding.mirroring import Mirrored


def lock(options: Options) -> int:
    """Lock the providers of the stack."""
    return wait_for(_lock(options))


async def _lock(options: Options) -> int:
    platforms, upgrade = options.many("platforms"), options.flag("upgrade")
    found, written = await supply.lock(surrounding(options), platforms, _fetching, upgrade=upgrade)
    if options.as_json:
        say_json({"providers": [_locked_json(each) for each in found], "written": written})
    elif not found:
        say("the stack declares no provider that can be locked")
    else:
        for each in found:
            say(_told(each))
        say("wrote dirigent.lock" if written else "dirigent.lock stays as it is")
    return Exit.DONE


def _told(each: Outcome) -> str:
    name = f"{each.locked.source} {each.locked.version}"
    if not each.origin:
        return f"{name}: locked and here"
    signed = f", signed by {each.signed.upper()}" if each.signed else ""
    changed = each.before not in {"", each.locked.version}
    return f"{name}: {f'was {each.before}, ' if changed else ''}from {each.origin}{signed}"


def _locked_json(each: Outcome) -> Json:
    return {
        "source": each.locked.source,
        "version": each.locked.version,
        "before": each.before or None,
        "origin": each.origin or None,
        "signedBy": each.signed.upper() or None,
        "hashes": {platform: list(hashes) for platform, hashes in sorted(each.locked.hashes.items())},
    }


def mirror(options: Options) -> int:
    """Fill a mirror."""
    return wait_for(_mirror(options))


async def _mirror(options: Options) -> int:
    folder = Path(options.text("folder"))
    found = await supply.mirror(surrounding(options), folder, options.many("platforms"), _fetching)
    if options.as_json:
        say_json({"folder": str(folder), "providers": [_mirrored_json(each) for each in found]})
    elif not found:
        say("the stack declares no provider that can be mirrored")
    else:
        for each in found:
            for path in each.paths:
                say(f"wrote {path}")
    return Exit.DONE


def _mirrored_json(each: Mirrored) -> Json:
    return {
        "source": str(each.source),
        "version": each.version,
        "origin": each.origin,
        "paths": [str(path) for path in each.paths],
    }


def _fetching(what: str) -> None:
    note(f"fetching {what}")
