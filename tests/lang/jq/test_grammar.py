"""What is a program, what it needs from outside, and where it is evaluated."""

import jq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dirigent.jq import LANGUAGE
from dirigent.jq.language import Jq
from dirigent.jq.names import FOREIGN, LOCAL, REFUSED
from dirigent.model.limits import EXPRESSION_CHARACTERS, EXPRESSION_DEPTH
from dirigent.ports import ExpressionFailed


def refusal(text):
    with pytest.raises(ExpressionFailed) as caught:
        LANGUAGE.compile(text)
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "empty"),
        ("  # only a comment", "empty"),
        (".a.", "syntax error at column 3"),
        (".a b", "at column 4: `b`"),
        ("1 +", "at the end"),
        ("1 == 2 == 3", "syntax error at column 8"),
        (". = 1 = 2", "syntax error at column 7"),
        ("[1,]", "syntax error"),
        ("{a:1,,b:2}", "expected a key"),
        ("{a b}", "expected `}`"),
        ("{(1):2}", "cannot use `1` as the key"),
        ("{1:2}", "expected a key"),
        ("if 1 then 2", "expected `end`"),
        ("(1", "the `(` at column 1: `(1` is never closed"),
        ("[1)", "`)` closes nothing"),
        ("1]", "`]` closes nothing"),
        ('"abc', "string at column 1"),
        ('"a\\(1', "the `\\(`"),
        ('"\\q"', "unknown escape"),
        ('"\\ud83d"', "half a surrogate"),
        ("'a'", "unexpected character"),
        (".a\n  | ?", "line 2, column 5"),
        ("nothing(1)", "`nothing/1` is not defined"),
        ("length(1)", "`length/1` is not defined"),
        ("a::b", "is not defined"),
        ("@nope", "`@nope` is not a format"),
        (". as 1 | 2", "expected `$name`"),
        ("break $out", "no label `$out`"),
        ("reduce . as $x (1)", "expected `;`"),
        ("1 as $x", "expected `|`"),
        ('import "a" as $a; 1', "`import` is not available"),
        ('include "a"; 1', "`include` is not available"),
        ('# hidden\nimport "a" as $a; 1', "`import` is not available"),
        ("module {}; 1", "`module` is not available"),
        ("$ENV.HOME", "`$ENV` is not available"),
        ("$__loc__", "two underscores"),
        ("$__prog_args", "two underscores"),
        ("1 as $__x | 2", "two underscores"),
        ('"a" # \0', "null character"),
        ("9" * 500, "too many digits"),
        ("1e999", "not a finite number"),
    ],
)
def test_a_text_that_is_no_program_is_refused_with_the_place(text, words):
    assert words in refusal(text)


@pytest.mark.parametrize("name", sorted(REFUSED))
def test_what_looks_outside_is_refused_with_the_reason(name):
    assert REFUSED[name] in refusal(f".a | {name}")
    assert REFUSED[name] in refusal(f"reduce .[] as $x (0; {name})")


def test_a_parameter_may_have_the_name_of_a_refused_function():
    assert not LANGUAGE.compile("def twice(input): input, input; [twice(.)]").local


@pytest.mark.parametrize(
    "text", ["(" * 50_000, "[" * 200 + "]" * 200, "-" * 200 + "1", "try " * 200 + "1", '"\\(' * 90]
)
def test_deep_nesting_is_refused_and_never_overflows(text):
    assert "allowed" in refusal(text) or "more than" in refusal(text)


def test_the_deepest_allowed_nesting_evaluates():
    depth = EXPRESSION_DEPTH - 1
    assert LANGUAGE.compile("(" * depth + "1" + ")" * depth).evaluate(None, {}) == 1
    assert "nesting" in refusal("(" * EXPRESSION_DEPTH + "1" + ")" * EXPRESSION_DEPTH)


def test_deep_operators_are_counted_and_never_overflow():
    text = "1//1 or 1 and 1==1+1*(" * 64 + "1" + ")" * 64
    assert "nesting" in refusal(text) or "brackets" in refusal(text)


def test_the_deepest_nesting_needs_a_bounded_stack():
    def with_frames(count):
        if count:
            return with_frames(count - 1)
        depth = EXPRESSION_DEPTH - 1
        return LANGUAGE.compile("[" * depth + "1" + "]" * depth + " ").evaluate(None, {})

    assert with_frames(300)


@pytest.mark.parametrize(
    ("piece", "joint", "expected"),
    [
        ("1", "+", 4_000),
        (".", "|", None),
        ("null", "//", None),
        ("true", " and ", True),
        ("1", ",", [1] * 4_000),
    ],
)
def test_long_chains_do_not_nest(piece, joint, expected):
    count = 4_000 if len(piece + joint) <= 2 else EXPRESSION_CHARACTERS // len(piece + joint)
    assert LANGUAGE.compile(joint.join([piece] * count)).evaluate(None, {}) == expected


def test_a_long_path_does_not_nest():
    assert LANGUAGE.compile(".a" * 8_000).evaluate(None, {}) is None
    assert LANGUAGE.compile("." + "[0]" * 5_000).evaluate(None, {}) is None


def test_a_text_that_is_too_long_is_refused():
    assert "characters" in refusal(" " * (EXPRESSION_CHARACTERS + 1))


@pytest.mark.parametrize(
    ("text", "variables", "references"),
    [
        (".a", set(), set()),
        ("$resources.db.url", {"resources"}, {("resources", "db")}),
        ('$resources["db"].url', {"resources"}, {("resources", "db")}),
        ('$resources."my-db"', {"resources"}, {("resources", "my-db")}),
        ("$resources.db?.url?", {"resources"}, {("resources", "db")}),
        ("($resources).db", {"resources"}, {("resources", None)}),
        ("$resources[.name]", {"resources"}, {("resources", None)}),
        ("$resources | .db", {"resources"}, {("resources", None)}),
        ("$a.x + $a.y", {"a"}, {("a", "x"), ("a", "y")}),
        ("{$a, b: $b.c}", {"a", "b"}, {("a", None), ("b", "c")}),
        ("{$a: 1}", {"a"}, {("a", None)}),
        ('"\\($a.b) \\($c)"', {"a", "c"}, {("a", "b"), ("c", None)}),
        ("$a as $b | $b.c", {"a"}, {("a", None)}),
        ("$a as $a | $a.c", {"a"}, {("a", None)}),
        ("(1 as $a | $a), $a", {"a"}, {("a", None)}),
        ("now", {"now"}, {("now", None)}),
        ("now - $start", {"now", "start"}, {("now", None), ("start", None)}),
        ("1 as $now | now", {"now"}, {("now", None)}),
        ("reduce .[] as $i ($i; . + $i + $k.m)", {"i", "k"}, {("i", None), ("k", "m")}),
        ("foreach .[] as [$i, {b: $j}] (0; $i; $j + $z)", {"z"}, {("z", None)}),
        ("def f($p; g): $p + g + $q; f(1; $r)", {"q", "r"}, {("q", None), ("r", None)}),
        (". as [$p] ?// {$q} | $p + $q + $r", {"r"}, {("r", None)}),
        ('. as {("k" + $s): $p} | $p', {"s"}, {("s", None)}),
        ("label $out | $a, break $out", {"a"}, {("a", None)}),
        ("$a.b |= 1", {"a"}, {("a", "b")}),
        ("$a.b[$c]", {"a", "c"}, {("a", "b"), ("c", None)}),
    ],
)
def test_the_names_that_a_program_needs_are_known(text, variables, references):
    compiled = LANGUAGE.compile(text)
    assert compiled.variables == variables
    assert compiled.references == references


@pytest.mark.parametrize(
    "text",
    [
        "reduce .[] as $x (0; .+$x)",
        "def f: 1; f",
        "..",
        "paths",
        "limit(1; .[])",
        'test("a")',
        "@base64d",
        ".a = 1",
        ".a |= 2",
        "label $f | 1",
        "[.[] as [$a] | $a]",
        "nan",
        "todate",
        "walk(.)",
        '{a: @base32 "\\(1)"}',
    ],
)
def test_what_is_not_bounded_goes_to_the_worker(text):
    compiled = LANGUAGE.compile(text)
    assert not compiled.local
    with pytest.raises(ExpressionFailed, match="worker"):
        compiled.evaluate(None, {})


def test_now_is_a_variable_of_the_caller():
    assert LANGUAGE.compile("now").evaluate(None, {"now": 17}) == 17
    assert LANGUAGE.compile("7 as $now | [now, $now]").evaluate(None, {"now": 17}) == [17, 7]


def test_a_missing_variable_is_named():
    with pytest.raises(ExpressionFailed, match=r"`\$nope` is not defined"):
        LANGUAGE.compile("$nope.a").evaluate(None, {})


def test_compiling_is_cached_by_text_and_the_cache_is_bounded():
    language = Jq(generation=4)
    assert language.compile(".cached") is language.compile(".cached")
    first = language.compile(".first")
    for number in range(4):
        language.compile(f".a{number}")
    assert language.compile(".first") is first, "what was asked for in the last generation is still known"
    for number in range(9):
        language.compile(f".b{number}")
    assert language.compile(".first") is not first


def test_every_function_of_libjq_is_known_here():
    known = {name for name in jq.compile("builtins").input_value(None).first() if not name.startswith("_")}
    here = LOCAL | FOREIGN
    assert {name for name in known if name.partition("/")[0] not in REFUSED} - here - {"now/0"} == set()
    assert here - known - {"empty/0", "error/0", "not/0", "path/1", "range/2"} == set()


PIECES = st.sampled_from(
    [
        ".",
        "..",
        ".a",
        ".[0]",
        ".[]",
        "[",
        "]",
        "{",
        "}",
        "(",
        ")",
        '"s"',
        '"\\(',
        ")",
        '"',
        "a:",
        "$x",
        "as",
        "|",
        ",",
        "//",
        "==",
        "and",
        "or",
        "not",
        "+",
        "-",
        "*",
        "/",
        "%",
        "<",
        "?",
        "?//",
        "if",
        "then",
        "elif",
        "else",
        "end",
        "try",
        "catch",
        "reduce",
        "foreach",
        "def",
        "f:",
        ";",
        "label",
        "$out",
        "break",
        "1",
        "2.5",
        "null",
        "true",
        "empty",
        "error",
        "map(",
        "select(",
        "@json",
        "@text",
        "=",
        "|=",
        ":",
        "now",
    ]
)


@settings(max_examples=150, derandomize=True, deadline=None)
@given(st.lists(PIECES, max_size=9).map(" ".join))
def test_what_is_refused_here_libjq_refuses_too_and_the_other_way(text):
    try:
        jq.compile(text, args={"x": 1})
        valid = True
    except ValueError:
        valid = False
    try:
        LANGUAGE.compile(text)
        accepted = True
    except ExpressionFailed:
        accepted = False
    undefined = "$out" in text and valid != accepted
    assert valid == accepted or undefined, text
