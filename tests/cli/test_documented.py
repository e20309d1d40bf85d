"""The page of the command line names every command, option, exit code and variable, and nothing else."""

from __future__ import annotations

import re

import click
import pytest

from cli.rig import ROOT
from dirigent.cli.exits import Exit
from dirigent.cli.main import COMMANDS, cli
from dirigent.cli.options import STATE_FOLDER

PAGE = (ROOT / "docs/cli.md").read_text(encoding="utf-8")
SHARED = PAGE.partition("Options that many commands share")[2].partition("## ")[0]


def row_of(name):
    return re.search(rf"^\| `{name}[ `].*$", PAGE, re.MULTILINE)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_and_each_of_its_options_is_on_the_page(name):
    row = row_of(name)
    assert row, f"docs/cli.md has no row for `{name}`"
    for option in cli.get_command(click.Context(cli), name).params:
        for flag in option.opts if isinstance(option, click.Option) else ():
            assert f"`{flag}" in row.group(0) + SHARED, f"docs/cli.md does not tell of `{name} {flag}`"


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_and_option_has_a_word_of_help(name):
    command = cli.get_command(click.Context(cli), name)
    assert command.help
    assert command.help[0].isupper()
    assert command.help.split("\n")[0].endswith((".", "?"))
    for option in command.params:
        if isinstance(option, click.Option):
            assert option.help, f"{name} {option.opts}"
            assert option.help[0].isupper() or option.help.startswith("`")
            assert option.help.endswith("."), f"{name} {option.opts}: {option.help}"


def test_no_option_is_on_the_page_that_no_command_has():
    known = {"--version", "--help", "-h"}
    for name in COMMANDS:
        command = cli.get_command(click.Context(cli), name)
        below = command.commands.values() if isinstance(command, click.Group) else ()
        for option in (param for each in (command, *below) for param in each.params):
            known.update(option.opts)
    told = set(re.findall(r"`(--?[a-zA-Z][a-z-]*)", PAGE))
    assert told <= known


def test_every_exit_code_is_on_the_page():
    told = {int(code) for code in re.findall(r"^\| (\d+) \|", PAGE, re.MULTILINE)}
    assert told == {int(code) for code in Exit}


def test_every_variable_that_the_code_reads_is_on_the_page():
    for name in (
        "DIRIGENT_STATE",
        "DIRIGENT_INPUT_",
        "DIRIGENT_SECRET_",
        "NO_COLOR",
        "FORCE_COLOR",
        "COLUMNS",
    ):
        assert f"`{name}" in PAGE
    assert f"`{STATE_FOLDER}`" in PAGE
