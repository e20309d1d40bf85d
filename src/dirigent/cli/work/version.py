"""The work of `version`: it needs nothing."""

from __future__ import annotations

from dirigent import __version__
from dirigent.cli.exits import Exit
from dirigent.cli.given import Options
from dirigent.cli.output import say, say_json


def version(options: Options) -> int:
    """Print the version."""
    if options.as_json:
        say_json({"version": __version__})
    else:
        say(f"dirigent {__version__}")
    return Exit.DONE
