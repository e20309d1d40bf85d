"""Published examples with one mistake in them: refused with a code and a place, or read for a reason.

Mistakes are made in the text, as people make them: a letter lost, a line moved, a document cut short. What
is read all the same still means the same, or the published schema reads it too; nothing is ever a traceback.
"""

import json
import re

import jsonschema_rs
import pytest

from conformance import kit
from conformance.test_documents import WIDER
from dirigent.jq import LANGUAGE
from dirigent.lang.source import load
from dirigent.lang.tree import plain
from dirigent.lang.workflow.document import read_naked
from dirigent.testing.dice import Dice

pytestmark = kit.needed

EXAMPLES = kit.examples()
EACH = 5
CODE = re.compile(r"[EW]\d{4}")


def lost_letter(lines, dice):
    number = dice.one_of([n for n, line in enumerate(lines) if line.strip()])
    at = dice.between(len(lines[number]) - len(lines[number].lstrip()), len(lines[number].rstrip()) - 1)
    lines[number] = lines[number][:at] + lines[number][at + 1 :]


def lost_line(lines, dice):
    del lines[dice.below(len(lines))]


def twice(lines, dice):
    number = dice.below(len(lines))
    lines.insert(number, lines[number])


def moved_in(lines, dice):
    number = dice.below(len(lines))
    lines[number] = " " + lines[number]


def moved_out(lines, dice):
    number = dice.one_of([n for n, line in enumerate(lines) if line.startswith(" ")])
    lines[number] = lines[number][1:]


def cut_short(lines, dice):
    del lines[dice.between(1, len(lines) - 1) :]


def swapped(lines, dice):
    number = dice.below(len(lines) - 1)
    lines[number], lines[number + 1] = lines[number + 1], lines[number]


def odd_letter(lines, dice):
    number = dice.below(len(lines))
    at = dice.below(len(lines[number]) + 1)
    lines[number] = lines[number][:at] + dice.one_of("{}[]&*!|>'\"%@`,#?:\t\0é") + lines[number][at:]


def wrong_kind(lines, dice):
    number = dice.one_of([n for n, line in enumerate(lines) if re.search(r":\s*\S", line)])
    lines[number] = re.sub(
        r":\s*\S.*", f": {dice.one_of(['7', '[]', '{}', 'null', 'plain', 'true'])}", lines[number], count=1
    )


def misspelt(lines, dice):
    number = dice.one_of([n for n, line in enumerate(lines) if re.search(r"[A-Za-z]{2}:", line)])
    lines[number] = re.sub(r"([A-Za-z])([A-Za-z]):", r"\2\1:", lines[number], count=1)


MISTAKES = (
    *(
        lost_letter,
        lost_line,
        twice,
        moved_in,
        moved_out,
        cut_short,
        swapped,
        odd_letter,
        wrong_kind,
        misspelt,
    ),
)


def mutated():
    """The same mutations on every machine: five of each example."""
    for name, text in EXAMPLES:
        dice = Dice(0, name)
        first = dice.below(len(MISTAKES))
        for mistake in (MISTAKES * 2)[first : first + EACH]:
            lines = text.splitlines()
            mistake(lines, dice)
            yield f"{name}: {mistake.__name__}", text, "\n".join(lines) + "\n"


@pytest.fixture(scope="module")
def published():
    text = (kit.FOLDER / "schema" / "workflow.yaml").read_text()
    return jsonschema_rs.validator_for(plain(load(text, "schema.yaml")[0]))


def value_of(text):
    node, _ = load(text, "text.yaml")
    return None if node is None else plain(node)


def reason(text, original, published):
    """Why a mutated document is read, or an empty text where there is no reason."""
    found = value_of(text)
    if json.dumps(found) == json.dumps(value_of(original)):
        return "it means the same"
    errors = list(published.iter_errors(found))
    if not errors:
        return "the published schema reads it, too"
    places = [f".{'.'.join(map(str, error.instance_path))}" for error in errors]
    if all(any(re.search(known, place) for known in WIDER) for place in places):
        return "we take more than the schema there"
    return ""


def test_a_mistake_in_a_published_document_is_told_with_its_place_or_read_for_a_reason(published):
    refused, read, silent = 0, {}, []
    for title, original, text in mutated():
        program, problems = read_naked(text, "mutated.yaml", LANGUAGE)
        errors = [problem for problem in problems if problem.severity == "error"]
        for problem in problems:
            assert CODE.fullmatch(problem.code), title
            assert problem.at is not None, f"{title}: {problem}"
            assert 1 <= problem.at.line <= text.count("\n") + 1, f"{title}: {problem.at}"
            assert problem.message
        assert (program is None) == bool(errors), title
        if errors:
            refused += 1
            continue
        why = reason(text, original, published)
        read[why] = read.get(why, 0) + 1
        if not why:
            silent.append(title)
    assert silent == []
    assert refused + sum(read.values()) == EACH * 66
    assert refused >= 200, (refused, read)


def test_the_judge_is_not_content_with_anything(published):
    """A control: what the schema refuses and what means something else is no reason."""
    name, text = EXAMPLES[0]
    assert reason(text.replace("do:", "doo:"), text, published) == "", name
    assert reason(text + "\n# a comment\n", text, published) == "it means the same"
