"""Nothing that an expression says can take more time, memory or stack than it was given."""

import pytest

from dirigent.jq import LANGUAGE
from dirigent.model.limits import EXPRESSION_RESULT_NODES, EXPRESSION_STEPS, VALUE_DEPTH
from dirigent.ports import ExpressionFailed

LONG = "x" * 1_000_000


def evaluated(text, dot=None, **variables):
    return LANGUAGE.compile(text).evaluate(dot, variables)


@pytest.mark.parametrize(
    ("text", "dot"),
    [
        ('"x" * 1000000000', None),
        ('"x" * 1e300', None),
        ("|".join([". + ."] * 40), "ab"),
        ("|".join([". + ."] * 40), [1]),
        ("|".join(['"\\(.)\\(.)"'] * 40), "ab"),
        ("|".join(["[., .]"] * 60), 1),
        ("|".join(["{a: ., b: .}"] * 60), 1),
        ("|".join(["[., .]"] * 40 + ["tojson"]), 1),
        ("|".join(["[., .]"] * 40 + ["flatten"]), 1),
        ("|".join(["[., .]"] * 40 + [". == ."]), 1),
        ("|".join(["[., .]"] * 40 + ["contains(.)"]), 1),
        ("|".join([". * ."] * 40), 10),
        ("|".join(["[.]"] * 500), 1),
        ("|".join(["[.]"] * 500 + ["tojson"]), 1),
        ("|".join(["{a: .}"] * 500 + [". * ."]), 1),
        ("|".join(["[.]"] * 500 + [". == ."]), 1),
        ("|".join(["[.]"] * 500 + ["flatten"]), 1),
        ("[range(1000000000)]", None),
        ("[range(1000) | range(1000)]", None),
        ("last(range(1e15))", None),
        ("any(range(1e15); . < 0)", None),
        ("isempty(range(1e15) | select(. < 0))", None),
        ("[" + "+".join(["(1,2)"] * 30) + "]", None),
        ('["' + "\\(1,2,3)" * 12 + '"]', None),
        ("[{" + ",".join(f"a{n}: (1,2)" for n in range(30)) + "}]", None),
        ("[.[] - .[]]", [list(range(900))] * 400),
        ("[range(5000)] as $a | $a - [range(5000) | . + 9000]", None),
        ('[.[] | . + "y"]', [LONG] * 1000),
        ("[.[] == .[]]", [LONG + str(n) for n in range(10, 60)]),
        ('map(contains("xy"))', [LONG] * 1000),
        ('join(",")', [LONG] * 1000),
        ("add", [LONG] * 1000),
        ("[range(100) as $i | sort]", list(range(2000, 0, -1))),
        ("fromjson", "[" * 500 + "]" * 500),
        ("[range(9) as $i | fromjson | length]", '["' + "a" * 900_000 + '"]'),
        ("tonumber", "9" * 10_000),
        ('split("")', LONG),
        ('[range(300) as $i | split("x") | length]', "x" * 1000),
    ],
    ids=lambda value: value[:40] if isinstance(value, str) else "",
)
def test_a_hostile_expression_is_stopped(text, dot):
    with pytest.raises(ExpressionFailed):
        evaluated(text, dot)


def test_a_limit_is_not_caught_by_try():
    with pytest.raises(ExpressionFailed, match="steps"):
        evaluated("try last(range(1e15)) catch 1")
    with pytest.raises(ExpressionFailed, match="steps"):
        evaluated("[range(1e15)]? // 2")


def test_the_message_says_the_limit():
    with pytest.raises(ExpressionFailed, match=f"more than {EXPRESSION_STEPS} steps"):
        evaluated("[range(200000)]")
    with pytest.raises(ExpressionFailed, match=f"more than {EXPRESSION_RESULT_NODES} values"):
        evaluated("|".join(["[., .]"] * 30), 1)
    with pytest.raises(ExpressionFailed, match=f"deeper than {VALUE_DEPTH} levels"):
        evaluated("|".join(["[.]"] * 500), 1)


def test_streams_inside_streams_end_with_words():
    text = "1"
    for _ in range(30):
        text = f'"\\({text})' + "\\(1,2)" * 50 + '"'
    with pytest.raises(ExpressionFailed, match=r"nested too deeply|more than"):
        evaluated(text)


def test_every_evaluation_has_steps_of_its_own():
    text = f"[range({EXPRESSION_STEPS // 2})] | length"
    for _ in range(3):
        assert evaluated(text) == EXPRESSION_STEPS // 2


def test_a_large_value_may_be_passed_on():
    large = {"items": [{"n": n} for n in range(30_000)]}
    assert evaluated(".items", large) is large["items"]
    assert evaluated(".items | length", large) == 30_000


@pytest.mark.parametrize(
    "text",
    [
        "sort_by(.n) | .[0].n",
        "group_by(.n % 10) | length - 10",
        "map(.n) | sort | .[0]",
        'map({("k\\(.n)"): 0}) | add | .k0',
        'map("k\\(.n)") | unique | length - 20000',
        "max_by(.n).n - 19999",
        "map(.n) | add - 199990000",
    ],
)
@pytest.mark.slow
def test_ordinary_work_on_twenty_thousand_elements_is_possible(text):
    assert evaluated(text, [{"n": n} for n in range(19_999, -1, -1)]) == 0


def test_an_expression_changes_nothing_that_it_was_given():
    dot = {"a": [3, 1, 2], "b": {"c": 1}}
    for text in [
        ".a | sort",
        ".a + [4]",
        ".b + {d: 1}",
        ".b * {c: {d: 2}}",
        ".a | reverse",
        "with_entries(.)",
        ".a - [1]",
    ]:
        evaluated(text, dot)
    assert dot == {"a": [3, 1, 2], "b": {"c": 1}}


def test_a_message_shows_the_offending_value_shortened():
    with pytest.raises(ExpressionFailed) as caught:
        evaluated(". + 1", {"a": [LONG, {"b": [[[[1]]]]}]})
    assert 'object ({"a":["xxx' in str(caught.value)
    assert "and number (1) cannot be added" in str(caught.value)
    assert len(str(caught.value)) < 200
