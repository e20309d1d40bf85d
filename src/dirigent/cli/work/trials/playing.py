"""Play test files. All of them are read first: nothing runs while one of them is wrong."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import click

from dirigent.app.trials.finding import suite_of
from dirigent.app.trials.folders import found_in
from dirigent.app.trials.piece import Piece
from dirigent.app.trials.playing import played
from dirigent.cli.answer import complain
from dirigent.cli.exits import Exit
from dirigent.cli.given import Options
from dirigent.cli.output import say, say_json
from dirigent.cli.place import place
from dirigent.cli.text.terminal import out
from dirigent.cli.work.trials.record import record
from dirigent.cli.work.trials.report import Verdict, junit, sum_text, verdict_json, verdict_text
from dirigent.cli.work.trials.writing import write
from dirigent.lang.trial.trial import Suite
from dirigent.lang.trial.updating import updated
from dirigent.model.problem import Problem, Refusal, refuse
from dirigent.testing.trial.judging import changes_of


def test(options: Options) -> int:
    """Play the tests of files, or make a test file from a run."""
    if options.text("record"):
        if options.many("files"):
            raise click.UsageError("`--record` plays no files; `--to FILE` says where it writes")
        return record(options)
    files = options.many("files")
    if options.text("to"):
        raise click.UsageError("`--to` says where `--record RUN` writes; name that run")
    if not files:
        raise click.UsageError("name a test file, a folder of them, or a run with `--record RUN`")
    suites = _read(found_in(place(options).folder, files), options)
    verdicts = [verdict for suite, piece in suites for verdict in _played(suite, piece, options)]
    if options.flag("update"):
        verdicts = [each for suite, _ in suites for each in _updated(suite, verdicts, options)]
    if options.text("junit"):
        write(Path(options.text("junit")), junit(verdicts))
    failed = sum(bool(each.problems) for each in verdicts)
    if options.as_json:
        tests = [verdict_json(each) for each in verdicts]
        say_json({"passed": len(verdicts) - failed, "failed": failed, "tests": tests})
    else:
        say(sum_text(verdicts, out()))
    return Exit.FAILED if failed else Exit.DONE


def _read(files: Sequence[Path], options: Options) -> list[tuple[Suite, Piece]]:
    """Return every test file with what it plays. Raises `Refusal` with the problems of all of them."""
    found: list[tuple[Suite, Piece]] = []
    wrong: list[Problem] = []
    folder = place(options).folder
    for file in files:
        try:
            suite, piece, warnings = suite_of(file, options.text("part"), folder)
        except Refusal as refusal:
            wrong.extend(refusal.problems)
            continue
        if warnings and not options.as_json:
            complain(warnings)
        found.append((suite, piece))
    if wrong:
        raise Refusal(wrong)
    if not any(suite.trials for suite, _ in found):
        raise refuse(
            "E7076", f"no test has `{options.text('part')}` in its name", "leave `-k` out to see all names"
        )
    return found


def _updated(suite: Suite, verdicts: list[Verdict], options: Options) -> list[Verdict]:
    """Write the file of a suite anew where its tests only want another output; return what is left to say."""
    own = [each for each in verdicts if each.file == suite.file]
    changes = {
        trial.name: found
        for trial in suite.trials
        for each in own
        if each.name == trial.name and (found := changes_of(trial, each.came, each.problems))
    }
    if changes:
        path = Path(suite.file)
        wanted = [change for found in changes.values() for change in found]
        write(path, updated(path.read_text(encoding="utf-8"), wanted))
        if not options.as_json:
            say(f"{suite.file}: {len(changes)} updated")
    return [replace(each, problems=()) if each.name in changes else each for each in own]


def _played(suite: Suite, piece: Piece, options: Options) -> list[Verdict]:
    verdicts: list[Verdict] = []
    if suite.trials and not options.as_json:
        say(suite.file)
    for trial in suite.trials:
        begun = time.perf_counter()
        came, problems = played(piece, trial)
        seconds = time.perf_counter() - begun
        verdict = Verdict(suite.file, trial.name, trial.span, came, tuple(problems), seconds)
        verdicts.append(verdict)
        if not options.as_json:
            say(verdict_text(verdict, out()))
    return verdicts
