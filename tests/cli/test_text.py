"""Answers for people: the danger first, columns that hold, and nothing that moves the cursor."""

from __future__ import annotations

import io
import re
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dirigent.cli.text.frame import problem_text, problems_text
from dirigent.cli.text.mask import masked
from dirigent.cli.text.picture import Picture
from dirigent.cli.text.plans import next_step, plan_text, summary
from dirigent.cli.text.runs import lasted
from dirigent.cli.text.terminal import Terminal, columns, cut, padded, shown, terminal_of
from dirigent.model.ids import Address, PlanId, RunId
from dirigent.model.plan import Action, Change, Difference, Plan, Selection
from dirigent.model.problem import Label, Problem
from dirigent.model.source import Span

PLAIN = Terminal(colour=False, live=False, width=80)
PAINTED = Terminal(colour=True, live=True, width=80)
SETTLED = settings(derandomize=True, deadline=None)


def change(action, number=0, **more):
    return Change(Address(f"{action.value}-{number}"), "name", "file", action, **more)


def plan(*changes):
    return Plan(PlanId("7f3a"), "shop", 0.0, tuple(changes), "x")


# -- plans ----------------------------------------------------------------------------------------


def test_a_plan_of_two_thousand_unchanged_and_three_deletes_shows_the_deletes_first():
    kept = [change(Action.KEEP, number) for number in range(2000)]
    gone = [change(Action.DELETE, number, because="removed from the stack") for number in range(3)]
    lines = plan_text(plan(*kept, *gone), PLAIN).splitlines()
    assert len(lines) <= 40
    assert sum("delete-" in line for line in lines[:10]) == 3
    assert lines[-1].strip() == "3 to delete, 2000 unchanged"


def test_what_lies_in_a_module_stands_under_it():
    addresses = ['net["eu"]/sub[0]/web', "app", "low/db", 'net["eu"]/db', 'net["us"]/db']
    made = [Change(Address(each), each, "file", Action.CREATE) for each in addresses]
    rows = [line.split() for line in plan_text(plan(*made), PLAIN).splitlines()[3:-2]]
    assert rows == [
        ["+", "app", "file"],
        ["in", 'net["eu"]'],
        ["+", "sub[0]/web", "file"],
        ["+", "db", "file"],
        ["in", "low"],
        ["+", "db", "file"],
        ["in", 'net["us"]'],
        ["+", "db", "file"],
    ]


def test_what_destroys_stands_before_what_changes_and_what_is_new():
    text = plan_text(
        plan(
            change(Action.CREATE),
            change(Action.UPDATE),
            change(Action.FORGET),
            change(Action.DELETE),
            change(Action.REPLACE),
        ),
        PLAIN,
    )
    order = [text.index(word) for word in ("DESTRUCTIVE", "delete-0", "UPDATE", "FORGET", "CREATE")]
    assert order == sorted(order)
    assert text.splitlines()[-1].strip() == "1 to delete, 1 to replace, 1 to update, 1 to forget, 1 to create"


def test_a_long_list_is_cut_and_says_how_to_see_all():
    made = plan(*(change(Action.CREATE, number) for number in range(30)))
    assert "and 18 more: file x18" in plan_text(made, PLAIN)
    assert "--full" in next_step(made)
    assert "create-29" in plan_text(made, PLAIN, full=True)
    assert "--full" not in next_step(plan(change(Action.CREATE)))


def test_many_properties_are_cut_and_a_forced_replacement_is_named():
    differences = tuple(Difference(f"env.V{n}", n, n + 1) for n in range(9))
    forced = Difference("engine", "14", "16", forces_replacement=True, span=Span("stack.yaml", 31, 7, 31, 9))
    made = plan(change(Action.REPLACE, differences=(forced, *differences)))
    text = plan_text(made, PLAIN)
    assert '"14" -> "16"   forces replacement  stack.yaml:31:7' in text
    assert "and 2 more properties" in text
    assert "--full" in next_step(made)


def test_a_plan_with_nothing_to_do_says_so():
    assert summary(plan(change(Action.KEEP))).startswith("Nothing to do: what is declared is what stands (1")
    assert "to create" in summary(plan(change(Action.CREATE)))


def test_colour_adds_nothing_but_colour():
    made = plan(change(Action.DELETE, because="removed"), change(Action.CREATE))
    painted = plan_text(made, PAINTED)
    assert "\x1b[31m" in painted
    assert re.sub(r"\x1b\[[0-9;]*m", "", painted) == plan_text(made, PLAIN)


# -- frames ---------------------------------------------------------------------------------------


def test_marks_stand_under_wide_letters_and_tabs():
    source = "a: 1\n名前:\t値段 x\nc: 3\n"
    at = Span("f.yaml", 2, 5, 2, 7)
    text = problem_text(Problem("E1203", "wrong `値段`", at, "here"), {"f.yaml": source}, PLAIN)
    lines = text.splitlines()
    line = next(each for each in lines if each.startswith("2 |"))
    marks = lines[lines.index(line) + 1]
    assert columns(line[: line.index("値")]) == marks.index("^")
    assert marks.count("^") == 4


def test_a_second_place_and_another_file_are_shown():
    problem = Problem(
        "E1305",
        "twice",
        Span("f.yaml", 9, 1, 9, 2),
        "again",
        (Label(Span("f.yaml", 1, 1, 1, 2), "first"), Label(Span("g.yaml", 3, 1, 3, 2), "and there")),
        ("rename one",),
    )
    text = problem_text(problem, {"f.yaml": "a\n" * 12}, PLAIN)
    assert "- first" in text
    assert "\n...\n" in text
    assert "g.yaml:3:1: and there" in text
    assert text.endswith("= help: rename one")


def test_beyond_twenty_problems_only_their_number():
    text = problems_text([Problem("E1001", f"n{n}") for n in range(25)], {}, PLAIN)
    assert "and 5 more" in text
    assert "n20" not in text


def test_a_place_beyond_the_end_of_a_file_has_a_frame_too():
    problem_text(Problem("E1001", "x", Span("f", 7, 3, 7, 4)), {"f": "a\n"}, PLAIN)
    problem_text(Problem("E1001", "x", Span("f", 1, 1, 1, 1)), {"f": ""}, PLAIN)


@pytest.mark.parametrize(
    ("line", "seen"),
    [
        ("  key: hunter2", "  key: *******"),
        ("  key: {env: KEY}", "  key: {env: KEY}"),
        ("  key: {file: a.txt, value: hunter2}", "  key: {file: a.txt, value: *******}"),
        ("  key: 'hun ter'", "  key: **** ****"),
        ("  key: |", "  key: *"),
        ("    hunter2", "    *******"),
        ("    # a word", "    # a word"),
    ],
)
def test_secrets_are_masked_and_their_places_are_not(line, seen):
    text = f"stack: x\nsecrets:\n{line}\noutputs:\n  a: hunter2\n"
    assert masked(text) == f"stack: x\nsecrets:\n{seen}\noutputs:\n  a: hunter2\n"


@SETTLED
@given(st.text())
def test_masking_keeps_every_column(text):
    assert [len(line) for line in masked(text).splitlines()] == [len(line) for line in text.splitlines()]


# -- terminals ------------------------------------------------------------------------------------


class Tty(io.StringIO):
    encoding = "utf-8"

    def isatty(self):
        return True


@pytest.mark.parametrize(
    ("environment", "colour", "live"),
    [
        ({}, True, True),
        ({"NO_COLOR": "1"}, False, True),
        ({"NO_COLOR": ""}, True, True),
        ({"TERM": "dumb"}, False, False),
        ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, False, True),
    ],
)
def test_a_terminal_obeys_its_environment(environment, colour, live):
    found = terminal_of(Tty(), environment)
    assert (found.colour, found.live) == (colour, live)


@SETTLED
@given(st.text(), st.integers(1, 30))
def test_a_text_that_is_cut_fits(text, width):
    assert columns(cut(text, width)) <= width
    assert columns(padded(cut(text, width), width)) >= width


@SETTLED
@given(st.text(alphabet="ab名\u0301", max_size=40), st.integers(2, 30))
def test_colours_take_no_columns_and_are_closed(text, width):
    painted = PAINTED.paint(text, "red")
    found = cut(f"x{painted}y", width)
    assert columns(found) <= width
    assert found.count("\x1b[31m") <= found.count("\x1b[0m")


@SETTLED
@given(st.text())
def test_nothing_from_outside_moves_the_cursor(text):
    assert all(letter.isprintable() or letter == "\t" for letter in shown(text))


@pytest.mark.parametrize(
    ("seconds", "said"), [(0.84, "840ms"), (12.34, "12.3s"), (250, "4m10s"), (7500, "2h05m"), (-3, "0ms")]
)
def test_lengths_of_time_are_for_people(seconds, said):
    assert lasted(seconds) == said


# -- the picture ----------------------------------------------------------------------------------


def test_the_picture_fits_into_its_terminal():
    picture = Picture(RunId("r" * 200), title="workflow " + "名" * 50)
    small = Terminal(colour=True, live=True, width=40, height=8)
    lines = picture.lines(10.0, small, "Ctrl-C stops here")
    assert all(columns(line) < 40 for line in lines)
    assert len(lines) < 8


def plan_of(*changes, **more):
    return Plan(PlanId("p"), "shop", 0.0, changes, "", **more)


def change_of(address, action, **more):
    return Change(Address(address), address, "file", action, **more)


def test_what_is_too_wide_for_one_line_stands_under_each_other():
    found = Difference("content", "a" * 60, "b" * 60, forces_replacement=True)
    reason = "`content` and a good many other properties of this file force replacement today"
    text = plan_text(
        plan_of(change_of("web", Action.REPLACE, differences=(found,), because=reason)),
        PLAIN,
    )
    lines = text.splitlines()
    assert [line.strip()[0] for line in lines if line.startswith(" " * 10)] == ["-", "+"]
    assert f"        {reason}" in lines
    assert all(columns(line) <= 90 for line in lines)


def test_what_only_we_know_has_groups_of_its_own():
    text = plan_text(
        plan_of(
            change_of("site", Action.KEEP, moved_from="web", because="moved from `web`"),
            change_of("old", Action.KEEP, imported="x", because="imported as `x`"),
            change_of("gone", Action.RELEASE, because="let go of"),
            change_of("new", Action.UPDATE, moved_from="then", imported="", differences=()),
            change_of("same", Action.KEEP),
        ),
        PLAIN,
    )
    for part in ("MOVE  1", "IMPORT  1", "FORGET  1", "moved from then"):
        assert part in text
    assert text.endswith("1 to update, 1 to let go of, 1 to import, 2 to move, 1 unchanged")


def test_a_part_says_what_it_is_and_what_it_leaves_out():
    selection = Selection(("web",), ("db",), ())
    names = tuple(f"r{number}" for number in range(7))
    text = plan_text(plan_of(selection=selection, left_out=names), PLAIN)
    assert (
        "PARTIAL  only web and what belongs to it; without db; 7 left out: r0, r1, r2, r3, r4 and 2 more"
        in text
    )
    assert "nothing of this part is left to do" in text


# -- dangers --------------------------------------------------------------------------------------

PLACE = Span("stack.yaml", 31, 7, 31, 9)


def test_what_is_lost_for_good_comes_first_is_marked_and_counted():
    empty = change(Action.DELETE, 1, because="removed from the stack")
    full = replace(change(Action.REPLACE, 2, because="asked for with `--replace`"), loses="what it holds")
    text = plan_text(plan(empty, full), PLAIN)
    assert "DESTRUCTIVE  1 replace, 1 delete   data loss: 1" in text
    assert text.index("data loss  asked for") < text.index("removed from the stack")
    assert text.splitlines()[-1].strip() == "1 to delete, 1 to replace; data loss: 1"
    assert "lost for good: what it holds" in plan_text(plan(full), PLAIN, full=True)


def test_what_destroys_always_says_where_it_is_written_down():
    long = replace(change(Action.REPLACE, because="`x` forces replacement " * 5), span=PLACE)
    text = plan_text(plan(long), PLAIN)
    assert "stack.yaml:31:7" in text
    assert "`x` forces replacement" in text


def test_what_is_protected_is_marked_whatever_becomes_of_it():
    guarded = replace(change(Action.UPDATE), protect=True)
    assert "protected" in plan_text(plan(guarded), PLAIN)
    assert "protected" not in plan_text(plan(change(Action.UPDATE)), PLAIN)
