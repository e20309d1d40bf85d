"""Values that JSON lacks: exact integers, secrets, and what a plan does not know yet."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dirigent.jq import LANGUAGE
from dirigent.jq.numbers import number_text
from dirigent.model.values import SecretRef, SecretText, Unknown
from dirigent.ports import ExpressionFailed

KEY = SecretText((SecretRef("key"),))
OTHER = SecretText(("id-", SecretRef("other")))
BIG = 9007199254740993


def evaluated(text, dot=None, **variables):
    return LANGUAGE.compile(text).evaluate(dot, {"s": KEY, "t": OTHER, **variables})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (". + 1", BIG + 1),
        (". * .", BIG * BIG),
        (". - 9007199254740992", 1),
        (". % 10", 3),
        (". / 1", BIG),
        ("(. * 3) / 3", BIG),
        ("tostring", "9007199254740993"),
        ("tojson | fromjson", BIG),
        (". == 9007199254740992", False),
        (". > 9007199254740992", True),
        ("tostring | tonumber", BIG),
        ("9007199254740993", BIG),
        ("-. | abs", BIG),
    ],
)
def test_integers_stay_exact(text, expected):
    assert evaluated(text, BIG) == expected


@pytest.mark.parametrize(
    ("text", "expected"), [("60.0", 60), ("30 * 2.0", 60), ("6 / 4", 1.5), ("6 / 3", 2), ("7.5 / 2.5", 3)]
)
def test_integral_results_are_integers(text, expected):
    found = evaluated(text)
    assert found == expected
    assert type(found) is type(expected)


def test_a_number_that_is_only_carried_keeps_its_type():
    assert type(evaluated(".a", {"a": 60.0})) is float


@pytest.mark.parametrize("text", ["1e308 * 10", "-1e308 - 1e308", '"1e999" | tonumber'])
def test_a_number_that_is_not_finite_is_an_error(text):
    with pytest.raises(ExpressionFailed, match="finite"):
        evaluated(text)


def test_the_number_of_digits_is_limited():
    with pytest.raises(ExpressionFailed, match="digits"):
        evaluated("|".join([". * ."] * 12), 10)


@settings(max_examples=300, derandomize=True, deadline=None)
@given(st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(10**30), 10**30))
def test_the_text_of_a_number_reads_back_as_the_same_number(number):
    assert type(number)(number_text(number)) == number


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (1e17, "1e+17"),
        (1e-5, "1e-05"),
        (0.0001, "0.0001"),
        (1.5e16, "15000000000000000"),
        (1.5e300, "1.5e+300"),
        (-0.5, "-0.5"),
        (100.0, "100"),
        (123.456, "123.456"),
        (5e-324, "5e-324"),
    ],
)
def test_a_number_is_written_as_jq_writes_it(number, text):
    assert number_text(number) == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("$s", KEY),
        ("{a: $s, b: [$s]}", {"a": KEY, "b": [KEY]}),
        ('"Bearer \\($s)"', SecretText(("Bearer ", SecretRef("key")))),
        ('"a" + $s + "b" + $t', SecretText(("a", SecretRef("key"), "bid-", SecretRef("other")))),
        ("$s + null", KEY),
        ("$s | tostring", KEY),
        ('[$s, "x"] | join(":")', SecretText((SecretRef("key"), ":x"))),
        ('["x", $s] | add', SecretText(("x", SecretRef("key")))),
        ('$s // "none"', KEY),
        ("$missing.a // $s", KEY),
        ("[$s][0]", KEY),
        ("{a: $s} | keys", ["a"]),
        ("[$s, $s] | length", 2),
        ("{a: $s} | to_entries | from_entries", {"a": KEY}),
        ("if true then $s else 1 end", KEY),
        ("$s as $u | $u", KEY),
        ("$s.user", SecretText((SecretRef("key.user"),))),
        ('$s["user"].name', SecretText((SecretRef("key.user.name"),))),
    ],
)
def test_a_secret_is_carried_and_joined(text, expected):
    assert evaluated(text, missing=None) == expected


@pytest.mark.parametrize(
    "text",
    [
        "$s | length",
        '$s == "a"',
        "$s != $s",
        "$s < 1",
        "[$s] == [1]",
        "$s | type",
        "$s | tojson",
        "[$s] | tojson",
        "{a: $s} | tostring",
        '"\\([$s])"',
        '@base64 "\\($s)"',
        "$s | @uri",
        "$s | @sh",
        "[$s] | @csv",
        '$s | startswith("a")',
        '"a" | startswith($s)',
        '$s | split("")',
        "$s[0:1]",
        "$s[]",
        "$s[0]",
        '("a" + $s).user',
        "$s | not",
        "if $s then 1 else 2 end",
        "$s and true",
        "$s | tonumber",
        "[$s, 1] | sort",
        "$s * 2",
        "$s - 1",
        "-$s",
        '$s / "a"',
        "{a: 1} | .[$s]",
        "{($s): 1}",
        '[$s] | contains(["a"])',
        "$s | ascii_downcase",
        "$s | utf8bytelength",
        "$s | fromjson",
        "$s | trim",
        '"ab" | index($s)',
        "[1] | map(select($s))",
        "$s + 1",
        "$s | floor",
        "$s | strings",
        "$s | error",
    ],
)
def test_nothing_else_may_be_done_with_a_secret_and_try_does_not_hide_it(text):
    with pytest.raises(ExpressionFailed) as caught:
        evaluated(text)
    assert "id-" not in str(caught.value)
    if text != "$s | error":
        assert "secret" in str(caught.value)
        with pytest.raises(ExpressionFailed):
            evaluated(f"try ({text}) catch 1")


DB = Unknown(("db",))
WEB = Unknown(("web",))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (".db", DB),
        ("{a: .db, b: 1}", {"a": DB, "b": 1}),
        ("[.db, 2]", [DB, 2]),
        (".db.url", DB),
        (".db[0]", DB),
        (".db[1:]", DB),
        ("{a: .db.url, b: .n}", {"a": DB, "b": 5}),
        ("[.db.url, .n]", [DB, 5]),
        ('"http://\\(.db.url)"', DB),
        ('"\\(.db.url) \\(.web.port)"', Unknown(("db", "web"))),
        (".db.a + .web.b", Unknown(("db", "web"))),
        (".db + .n + .web", Unknown(("db", "web"))),
        (".n + .db", DB),
        ("null + .db", DB),
        (".db == .web", Unknown(("db", "web"))),
        (".db == 1", DB),
        ("[.db] == [1]", DB),
        ("{a: .db} | tojson", DB),
        ("[.db] | length", 1),
        ("{a: .db} | keys", ["a"]),
        (".db | length", DB),
        ("[.db[]]", DB),
        ("[.items[] | select(.ok)]", WEB),
        (".items | map(select(.ok))", WEB),
        (".items | map(.ok)", [WEB]),
        (".items | map({ok, x: 1})", [{"ok": WEB, "x": 1}]),
        ("if .db then 1 else 2 end", DB),
        ("{a: (if .db.up then 1 else 2 end), b: 2}", {"a": DB, "b": 2}),
        (".db // 1", DB),
        (".n // .db", 5),
        ("false and .db", False),
        (".db and false", DB),
        (".db | not", DB),
        (".db.x as $v | {a: $v, b: 1}", {"a": DB, "b": 1}),
        (".db?", DB),
        ("try .db.x catch 1", DB),
        (".db[]?", DB),
        ("[.db, 1] | sort", DB),
        ("[.db, 1] | add", DB),
        ("{(.db): 1}", DB),
        ("{a: 1} | has($u)", DB),
        ("[1, 2] | .[$u]", DB),
        ('[.db] | join(",")', DB),
        ("{a: {b: .db}} * {a: {c: 1}}", {"a": {"b": DB, "c": 1}}),
        (".db | error", DB),
        ("any([.db][]; .)", DB),
        ("[range(.db)]", DB),
        ('@base64 "\\(.db)"', DB),
        ("-.db", DB),
        ("[.db] | .[0]", DB),
    ],
)
def test_what_looks_inside_an_unknown_is_unknown_and_the_rest_stays_known(text, expected):
    dot = {"db": DB, "web": WEB, "n": 5, "items": [{"ok": WEB}]}
    assert evaluated(text, dot, u=DB) == expected
