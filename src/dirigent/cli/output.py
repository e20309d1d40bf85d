"""Write answers to standard output, and remarks to standard error where they mix with nothing."""

from __future__ import annotations

import json
import sys

import click


def say(text: str) -> None:
    """Write a line of the answer; colour codes stay as they are, the caller has decided on them."""
    click.echo(text, color=True)


def say_json(value: object) -> None:
    """Write one JSON document, indented."""
    say(json.dumps(value, ensure_ascii=False, indent=2))


def say_line(value: object) -> None:
    """Write one JSON document on a line of its own, at once."""
    say(json.dumps(value, ensure_ascii=False))
    sys.stdout.flush()


def note(text: str) -> None:
    """Write a remark, or a problem."""
    click.echo(text, err=True, color=True)
