"""A command line that is wrong, a document that is wrong, and what nobody expected."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from cli.rig import ROOT, environment
from dirigent.cli.failing.defect import cleared, report

pytestmark = pytest.mark.slow

MALFORMED = sorted((ROOT / "tests/lang/malformed").glob("*.yaml"))
# Checks every file in one process, as text and as JSON, and prints what was said.
CHECKING = """
import contextlib, io, json, sys
from dirigent.cli import main
answers = []
for path in sys.argv[1:]:
    for more in ([], ["--json"]):
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            sys.argv = ["dirigent", "check", path, *more]
            code = main._run()
        answers.append([path, code, out.getvalue(), err.getvalue()])
print(json.dumps(answers))
"""


def test_dirigent_alone_shows_its_help(desk):
    told = desk.say()
    assert told.code == 0
    assert told.out == desk.say("--help").out == desk.say("-h").out
    assert "Usage: dirigent" in told.out


@pytest.mark.parametrize(
    ("words", "near"),
    [
        (("pln",), "`plan`"),
        (("statu",), "dirigent --help"),
        (("plan", "--ful"), "`--full`"),
        (("run", "x", "--inputs", "y"), "`--input`"),
        (("resume", "--don"), "`--done`"),
    ],
    ids=str,
)
def test_what_is_unknown_gets_a_suggestion(desk, words, near):
    told = desk.say(*words)
    assert told.code == 2
    assert told.out == ""
    assert near in told.err


def test_a_group_without_a_command_shows_its_help(desk):
    told = desk.say("schedule")
    assert (told.code, told.err.splitlines()[0]) == (
        2,
        "Usage: dirigent schedule [OPTIONS] COMMAND [ARGS]...",
    )


def test_a_workflow_file_that_is_not_there_is_named(desk):
    told = desk.say("run", "gone.yaml")
    assert (told.code, told.err.splitlines()[0]) == (
        2,
        "error[E7001]: `gone.yaml`: no such file or directory",
    )


def test_runs_that_ended_are_not_denied(desk):
    assert "no runs\n" in desk.say("ps").out
    head = "document: {dsl: 1.0.3, namespace: n, name: w, version: 1.0.0}\n"
    (desk.folder / "w.yaml").write_text(head + "do: [{s: {set: {x: 1}}}]\n")
    assert desk.say("run", "w.yaml").code == 0
    assert "no runs are open: `dirigent ps --all` has those that ended\n" in desk.say("ps").out


def test_a_worker_without_an_engine_says_that_it_waits(desk):
    told = desk.say("worker", "--patience", "0")
    assert told.code == 0
    assert told.err.startswith("no engine is here; waiting for one")


def test_an_argument_that_is_missing_is_named(desk):
    told = desk.say("show")
    assert told.code == 2
    assert "`RUN`" in told.err or "RUN" in told.err
    assert "dirigent show --help" in told.err


def test_choices_that_exclude_each_other_are_refused(small):
    told = small.say("resume", "x", "--skip", "--repeat")
    assert told.code == 2
    assert "exclude each other" in told.err


@pytest.fixture(scope="module")
def checked():
    done = subprocess.run(
        [sys.executable, "-c", CHECKING, *(str(path.relative_to(ROOT)) for path in MALFORMED)],
        cwd=ROOT,
        env=environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout)


def test_no_malformed_file_gives_a_traceback(checked):
    assert len(checked) == 2 * len(MALFORMED)
    for path, code, out, err in checked:
        assert code in {0, 2}, f"{path}: {err}"
        assert "Traceback" not in out + err
        assert "defect" not in err, path


def test_a_frame_shows_the_line_and_marks_below_it(checked):
    for path, code, _, err in checked[::2]:
        if code == 0:
            continue
        lines = err.splitlines()
        assert lines[0].startswith(("error[E", "warning[W")), path
        places = [line for line in lines if line.lstrip().startswith("--> ")]
        assert places, path
        for number, line in enumerate(lines):
            if set(line.partition("|")[2].strip()[:1]) == {"^"}:
                # The marks stand under a line of the document, not beyond its end by more than one.
                above = lines[number - 1].partition("| ")[2]
                start = line.partition("| ")[2].index("^")
                assert start <= len(above), f"{path}: {line}"


def test_the_json_names_the_same_problems(checked):
    for (path, code, _, err), (_, again, out, quiet) in zip(checked[::2], checked[1::2], strict=True):
        assert code == again, path
        assert quiet == "", path
        for problem in json.loads(out)["problems"][:20]:
            assert f"[{problem['code']}]" in err, path


def test_a_secret_that_stands_in_the_file_is_not_shown(desk):
    desk.write(
        "stack: leaky\nsecrets:\n  key: hunter2\n  other: {value: 's3cr3t, x'}\n  third: {env: THIRD}\n"
        "  last:\n    text: >\n      corr3ct\nbogus: 1\n"
    )
    told = desk.say("check")
    assert told.code == 2
    for secret in ("hunter2", "s3cr3t", "corr3ct"):
        assert secret not in told.out + told.err
        assert secret not in desk.say("check", "--json").out
    assert "E1418" in told.err
    assert "key: *******" in told.err


def test_a_report_has_places_and_no_values(tmp_path):
    def fall():
        token = "hunter2-and-more"
        raise ValueError(f"cannot read {token}")

    try:
        fall()
    except ValueError as failure:
        words = ["run", "x", "--input", "card=4242"]
        surrounding = {"DIRIGENT_STATE": str(tmp_path), "TOKEN": "hunter2-and-more", "LANG": "C"}
        path = report(failure, words, surrounding)
    text = path.read_text()
    assert path.parent == tmp_path
    assert "in fall" in text
    assert "ValueError: cannot read ($TOKEN)" in text
    assert "4242" not in text
    assert "hunter2" not in text
    assert path.stat().st_mode & 0o077 == 0


def test_a_report_goes_to_a_temporary_folder_where_there_is_no_state(tmp_path):
    assert report(ValueError("x"), [], {"DIRIGENT_STATE": str(tmp_path / "none")}).parent != tmp_path


def test_longer_values_are_taken_out_before_the_values_inside_them():
    assert cleared("abcdefgh", {"A": "abcdef", "B": "abcdefgh"}) == "($B)"
