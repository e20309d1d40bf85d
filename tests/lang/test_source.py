"""The YAML loader: types, places, limits, and no text that can make it raise or wait."""

import json

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from dirigent.lang.source import building, decode, load, load_bytes
from dirigent.lang.tree import Items, Leaf, Members, plain
from dirigent.model import limits
from effort import calls


def value_of(text):
    root, problems = load(text, "f.yaml")
    assert problems == []
    return plain(root)


def codes_of(text):
    return [problem.code for problem in load(text, "f.yaml")[1]]


def place(span):
    return (span.line, span.column, span.end_line, span.end_column)


SCALARS = [
    ("no", "no"),
    ("on", "on"),
    ("Yes", "Yes"),
    ("1:30", "1:30"),
    ("2026-01-01", "2026-01-01"),
    ("2026-01-01T10:00:00Z", "2026-01-01T10:00:00Z"),
    ("1_000", "1_000"),
    ("0b11", "0b11"),
    ("0o17", 15),
    ("0xfF", 255),
    ("0", 0),
    ("-0", 0),
    ("+12", 12),
    ("-3", -3),
    ("18446744073709551615", 2**64 - 1),
    ("-9223372036854775808", -(2**63)),
    ("1.5", 1.5),
    (".5", 0.5),
    ("5.", 5.0),
    ("1e3", 1000.0),
    ("1.5E-3", 0.0015),
    ("1.2.3", "1.2.3"),
    ("-", ["-"]),
    ("~", None),
    ("null", None),
    ("NULL", None),
    ("nULL", "nULL"),
    ("true", True),
    ("FALSE", False),
    ("tRUE", "tRUE"),
    ("'5'", "5"),
    ('"true"', "true"),
    ("'~'", "~"),
    ("", None),
    ("=", "="),
    ("a  b", "a  b"),
    ("http://x/y#z", "http://x/y#z"),
]


@pytest.mark.parametrize(("written", "meant"), [pair for pair in SCALARS if pair[0] != "-"])
def test_plain_scalars_follow_the_core_schema_of_yaml_1_2(written, meant):
    value = value_of(f"a: {written}\n")["a"]
    assert value == meant
    assert type(value) is type(meant)


@pytest.mark.parametrize("written", ["0777", "-01", "+00", "007"])
def test_a_leading_zero_asks_for_quotes(written):
    root, (problem,) = load(f"mode: {written}\n", "f.yaml")
    assert problem.code == "E1125"
    assert f'"{written}"' in problem.help[0]
    assert plain(root) == {"mode": written}


@pytest.mark.parametrize(
    "written", [".inf", "-.INF", ".nan", "1e400", "-1e400", "9" * 21, "9" * 9999, "0x" + "f" * 40]
)
def test_a_number_that_json_or_64_bits_cannot_hold_is_refused(written):
    assert codes_of(f"a: {written}\n") == ["E1126"]


def test_every_key_and_value_has_its_place_in_characters():
    root, problems = load("ä: 'ö'\nb:\n  - x\n  - {k: \"v\"}\nc: |\n  text\n  more\n", "f.yaml")
    assert problems == []
    assert place(root.members["ä"].key_span) == (1, 1, 1, 2)
    assert place(root.members["ä"].node.span) == (1, 4, 1, 7)
    listed = root.get("b")
    assert place(listed.items[0].span) == (3, 5, 3, 6)
    inner = listed.items[1]
    assert place(inner.span) == (4, 5, 4, 13)
    assert place(inner.members["k"].node.span) == (4, 9, 4, 12)
    assert place(listed.span) == (3, 3, 4, 13)
    assert place(root.get("c").span)[:2] == (5, 4)
    assert root.get("c").quoted
    assert not listed.items[0].quoted


def test_characters_beyond_the_basic_plane_count_once():
    root, _ = load("🎻: 🎻 # x\nb: 1\n", "f.yaml")
    assert place(root.members["🎻"].node.span) == (1, 4, 1, 5)


def test_lines_may_end_with_carriage_return_and_line_feed():
    root, problems = load("a: 1\r\nb:\r\n  - x\r\n", "f.yaml")
    assert problems == []
    assert plain(root) == {"a": 1, "b": ["x"]}
    assert place(root.members["b"].key_span) == (2, 1, 2, 2)


@pytest.mark.parametrize("indent", [None, 2, "\t"])
def test_json_is_read_too(indent):
    value = {"a": [1, 2.5, True, None, 'x/y\n"é'], "b": {}, "c": [], "d": {"e": "${ .f }"}}
    assert value_of(json.dumps(value, indent=indent, ensure_ascii=False)) == value
    assert value_of(json.dumps(value, indent=indent)) == value


def test_an_alias_is_its_value_again():
    root, problems = load("a: &x {p: 1}\nb: *x\n*k : 1\nk: &k name\n", "f.yaml")
    assert [problem.code for problem in problems] == ["E1118"]
    assert root.get("b") is root.get("a")
    assert value_of("k: &k name\nx: {*k : 1}\n") == {"k": "name", "x": {"name": 1}}


def test_an_alias_may_not_give_a_key_that_is_no_text():
    assert codes_of("k: &k [1]\nx: {*k : 1}\n") == ["E1123"]


def test_a_duplicate_key_names_both_places_and_keeps_the_first():
    root, (problem,) = load("a: 1\nb: 2\na: 3\n", "f.yaml")
    assert problem.code == "E1120"
    assert place(problem.at) == (3, 1, 3, 2)
    assert place(problem.others[0].span) == (1, 1, 1, 2)
    assert plain(root) == {"a": 1, "b": 2}


@pytest.mark.parametrize(
    ("key", "refused"),
    [
        ("8080", True),
        ("true", True),
        ("null", True),
        ("~", True),
        ("1.5", True),
        ("0777", True),
        (".nan", True),
        ("no", False),
        ("on", False),
        ("'8080'", False),
        ("1:30", False),
        ("name", False),
        ("true-ish", False),
    ],
)
def test_keys_are_text(key, refused):
    assert codes_of(f"{key}: 1\n") == (["E1123"] if refused else [])


def test_several_mistakes_of_form_are_found_in_one_pass():
    text = "a: 0777\na: 1\n5: x\nb: !t x\nc: *nope\n<<: {}\n"
    assert codes_of(text) == ["E1125", "E1120", "E1123", "E1122", "E1118", "E1121"]


TRAPS = [
    ("{amount: ${cart.total}}", "${cart.total}", '"${cart.total}"'),
    ("a: [1, ${ .x }, 2]", "${ .x }", '"${ .x }"'),
    ("a: ${ {b: 1} }", "${ {b: 1} }", '"${ {b: 1} }"'),
    ('a: ${ {b: "x"} }', '${ {b: "x"} }', "'${ {b: \"x\"} }'"),
    ("a: ${ .x # y }", "${ .x # y }", '"${ .x # y }"'),
    (
        "a: ${ if .x then {c: 1} else 'q' end }",
        "${ if .x then {c: 1} else 'q' end }",
        "\"${ if .x then {c: 1} else 'q' end }\"",
    ),
    ('a: {b: [x, {c: ${$resources["d"].url}}]}', '${$resources["d"].url}', "'${$resources[\"d\"].url}'"),
]


@pytest.mark.parametrize(("text", "expression", "fix"), TRAPS)
def test_an_expression_that_lacks_quotes_gets_its_own_problem_with_the_fix(text, expression, fix):
    (problem,) = load(f"first: 1\n{text}\n" if text[0] != "{" else text, "f.yaml")[1]
    assert problem.code == "E1112"
    assert expression in problem.message
    assert problem.help == (f"write {fix}",)
    assert text[problem.at.column - 1 : problem.at.end_column - 1] == expression
    # The fix is a value that YAML reads as the expression.
    assert value_of(f"[{fix.replace(chr(10), '')}]") == [expression]


def test_an_expression_in_block_style_needs_no_quotes():
    assert value_of("a: ${ .x | length }\nb: ${ {a} }\n") == {"a": "${ .x | length }", "b": "${ {a} }"}


FORMS = [
    ("", "E1104"),
    ("\n\n", "E1104"),
    ("# only a comment", "E1104"),
    ("---\n", "E1104"),
    ("~", "E1104"),
    ("a: \x00", "E1103"),
    ("a: \x1b[0m", "E1103"),
    ("a: \x85", "E1103"),
    ("a: \u2028", "E1103"),
    ("a: \ud800", "E1103"),
    ("a: \ufffe", "E1103"),
    ("a: \u2066x", "E1103"),
    ("a: 1\rb: 2", "E1103"),
    ("%TAG ! x\n---\na: 1", "E1127"),
    ("# c\n%YAML 1.2\n---\na: 1", "E1127"),
    ("a:\n\t- b", "E1111"),
    ("\ta: 1", "E1111"),
    ("a: b\n\t\n", "E1111"),
    ("a: 'x\nb: c", "E1114"),
    ('a: "x', "E1114"),
    ("a: [1, 2\nb: 3\n", "E1115"),
    ("a: {b: 1", "E1115"),
    ("a: ]", "E1115"),
    ("a: [", "E1115"),
    ("a: [b, {", "E1115"),
    ("a: [b,\n\n", "E1115"),
    ("a: [,]", "E1110"),
    ("a: b: c", "E1113"),
    ("a\nb: 1", "E1113"),
    ("a: 1\n- b", "E1116"),
    ("- a\nb: 1", "E1116"),
    ("a: - b", "E1116"),
    ("a: 'b' c", "E1116"),
    ("a: @x", "E1117"),
    ("a: `x`", "E1117"),
    ("a: %x", "E1117"),
    ('a: "\\q"', "E1129"),
    ('a: "\\xzz"', "E1129"),
    ("--- a\n--- b", "E1109"),
    ("a: &", "E1110"),
    ("a: |x\n  b", "E1110"),
    ("? [a]\n: b", "E1124"),
    ("a: {{ x }}", "E1124"),
]


@pytest.mark.parametrize(("text", "code"), FORMS)
def test_each_mistake_of_form_has_its_code(text, code):
    assert codes_of(text) == [code]


@pytest.mark.parametrize(("text", "code"), FORMS)
def test_the_parser_in_python_gives_the_same_codes(text, code, monkeypatch):
    monkeypatch.setattr(building.yaml, "__with_libyaml__", False)
    assert building.parser_class() is yaml.SafeLoader
    assert codes_of(text) == [code]


def test_a_byte_order_mark_is_a_warning_and_the_rest_is_read():
    root, (problem,) = load("\ufeffa: 1\n", "f.yaml")
    assert (problem.code, problem.severity) == ("W1101", "warning")
    assert plain(root) == {"a": 1}


@pytest.mark.parametrize("content", ["a: 1".encode("utf-16"), "a: 1".encode("utf-32"), b"\xff\xfea"])
def test_other_encodings_are_named(content):
    (problem,) = load_bytes(content, "f.yaml")[1]
    assert problem.code == "E1102"
    assert "UTF-" in problem.message


def test_bytes_that_are_not_utf_8_have_a_place():
    text, (problem,) = decode("a: ä\nbé: ".encode() + b"\xc3\x28", "f.yaml")
    assert text is None
    assert (problem.code, problem.at.line, problem.at.column) == ("E1102", 2, 5)


def test_bytes_are_read_like_text():
    assert plain(load_bytes("ä: 1".encode(), "f.yaml")[0]) == {"ä": 1}


def test_a_document_of_the_full_size_is_read_and_one_more_byte_is_not():
    text = "a: " + "x" * 100 + "\n#" + " " * (limits.DOCUMENT_BYTES - 105)
    assert len(text) == limits.DOCUMENT_BYTES
    assert codes_of(text) == []
    assert codes_of(text + " ") == ["E1101"]
    assert codes_of("#" + "ä" * (limits.DOCUMENT_BYTES // 2)) == ["E1101"]
    assert [problem.code for problem in load_bytes(text.encode() + b" ", "f.yaml")[1]] == ["E1101"]


def test_a_text_of_the_full_length_is_read_and_a_longer_one_is_not():
    assert codes_of(f"a: {'x' * limits.SCALAR_CHARACTERS}") == []
    assert codes_of(f"a: {'x' * (limits.SCALAR_CHARACTERS + 1)}") == ["E1108"]


def test_the_depth_is_limited_with_aliases_counted():
    deepest = "[" * limits.DOCUMENT_DEPTH + "]" * limits.DOCUMENT_DEPTH
    assert codes_of(deepest) == []
    assert codes_of(f"[{deepest}]") == ["E1105"]
    half = limits.DOCUMENT_DEPTH // 2
    nested = f"a: &a {'[' * half}{']' * half}\nb: "
    assert codes_of(f"{nested}{'[' * (half - 1)}*a{']' * (half - 1)}") == []
    assert codes_of(f"{nested}{'[' * half}*a{']' * half}") == ["E1105"]


def test_aliases_are_limited():
    assert codes_of("a: &a 1\nb:\n" + "  - *a\n" * limits.DOCUMENT_ALIASES) == []
    assert codes_of("a: &a 1\nb:\n" + "  - *a\n" * (limits.DOCUMENT_ALIASES + 1)) == ["E1106"]


def test_what_aliases_expand_to_is_limited():
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 10)]
    assert codes_of("\n".join(lines)) == ["E1107"]


HOSTILE = {
    "brackets": "[" * 50_000,
    "braces": "{" * 50_000,
    "block sequences": "- " * 50_000,
    "block mappings": "? " * 50_000,
    "quoted keys": '{"a": ' * 50_000,
    "brackets on lines": "[\n" * 50_000,
    "indented keys": "\n".join(" " * depth + "a:" for depth in range(1000)),
    "mixed": "{a: [b, {c: [" * 10_000,
    "empty lists": "[" + "[]," * 300_000,
    "anchors": "".join(f"- &a{number} x\n" for number in range(60_000)),
    "one key again": "? a\n" * 90_000,
    "digits": "a: " + "9" * 1_000_000,
    "long key": "a" * 1_000_000 + ": b",
    "plain words": "a: " + "x " * 500_000,
    "many quotes": "'" * 1_000_000,
    "directives": "%TAG !a! b\n" * 90_000,
    "anchors without a value": "&a " * 300_000,
    "tags": "!a " * 300_000,
    "dollars": "a: " + "${" * 100_000,
    "expression in flow": "{a: " + "${" * 50_000,
    "comments": "# c\n" * 250_000,
    "percent": "#\n" * 200_000 + "%",
}


@pytest.mark.slow
@pytest.mark.parametrize("kind", HOSTILE)
def test_no_text_takes_long(kind):
    # No machine can promise a time; that the work grows only as the text does can be counted.
    assert calls(lambda: load(HOSTILE[kind], "f.yaml")) < 5_000 + 10 * len(HOSTILE[kind])


ALPHABET = st.sampled_from(list("ab:- \n\t[]{},#&*!|>'\"%@`?$.~<0159eExo\\\r=/\x00\x85\ufeffäé🎻"))


@settings(derandomize=True, deadline=None, max_examples=300)
@given(st.text(ALPHABET, max_size=60))
@example("? ? ?\n: :")
@example("*a : *a")
@example("&a *a")
@example("{? a, b}")
@example("- &a\n- *a")
@example("&a a: &a *a")
@example("[a]: b: c")
@example("? {x: &k y}\n: *k")
@example("{: ''}")
@example("{&a '' : *a}")
def test_no_text_makes_the_loader_raise(text):
    root, problems = load(text, "f.yaml")
    assert root is not None or any(problem.severity == "error" for problem in problems)
    for problem in problems:
        assert problem.at is not None
        assert problem.at.line >= 1
        assert problem.at.column >= 1
        assert (problem.at.line, problem.at.column) <= (problem.at.end_line, problem.at.end_column)
    if root is not None:
        _check_places(root)


@settings(derandomize=True, deadline=None, max_examples=100)
@given(st.binary(max_size=60))
def test_no_bytes_make_the_loader_raise(content):
    load_bytes(content, "f.yaml")


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(min_size=1, max_size=5), inner, max_size=3)
    ),
    max_leaves=8,
)


@settings(derandomize=True, deadline=None, max_examples=40)
@given(VALUES, st.booleans())
def test_what_is_dumped_is_read_back(value, flow):
    text = yaml.safe_dump({"value": value}, default_flow_style=flow, default_style='"', allow_unicode=False)
    # A dump with every scalar quoted tells other types by tags, which documents may not hold.
    plain_text = text.replace('!!int "', '"').replace('!!bool "', '"').replace('!!null "', '"')
    root, problems = load(plain_text, "f.yaml")
    assert [problem for problem in problems if problem.code not in ("E1106", "E1118")] == []
    assert plain(root) == {"value": _as_text(value)}


def _as_text(value):
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case list():
            return [_as_text(item) for item in value]
        case dict():
            return {key: _as_text(item) for key, item in value.items()}
    return value


def _check_places(node):
    assert (node.span.line, node.span.column) <= (node.span.end_line, node.span.end_column), node
    match node:
        case Items(items):
            for item in items:
                _check_places(item)
        case Members():
            for member in node:
                _check_places(member.node)
        case Leaf():
            pass
