"""The work of `doctor`."""

from __future__ import annotations

from dataclasses import asdict

from dirigent.cli.exits import Exit
from dirigent.cli.given import Options
from dirigent.cli.output import say, say_json
from dirigent.cli.place import place
from dirigent.cli.text.terminal import out
from dirigent.cli.work.examination import examine

_TINTS = {"ok": "green", "warn": "yellow", "fail": "red"}


def doctor(options: Options) -> int:
    """Show what is missing on this machine."""
    found = examine(place(options).settings)
    failed = sum(check.status == "fail" for check in found)
    warned = sum(check.status == "warn" for check in found)
    if options.as_json:
        say_json({"checks": [asdict(check) for check in found]})
    else:
        terminal = out()
        for check in found:
            status = terminal.paint(f"{check.status:<5}", _TINTS[check.status])
            remedy = f"\n             -> {check.remedy}" if check.remedy else ""
            say(f" {status} {check.id}  {check.found}{remedy}")
        say(f"{failed} failed, {warned} {'warning' if warned == 1 else 'warnings'}")
    return Exit.FAILED if failed else Exit.DONE
