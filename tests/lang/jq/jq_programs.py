"""Generated programs of the local subset, and libjq as the judge of them."""

import json
import re

import jq
from hypothesis import strategies as st

NAMES = ["a", "b", "c", "key", "value"]
scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-9, 20),
    st.sampled_from([0.5, -1.5, 2.25, 0.001, 123456.789, 2**31, -(2**40)]),
    st.sampled_from(
        ["", "a", "b", "abc", "a,b", "12", "-3.5", " x ", "é😀", 'q"\\', "<&'>", "\t\n", "b,a,b", "[1,2]"]
    ),
)
values = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(st.sampled_from(NAMES), inner, max_size=4)
    ),
    max_leaves=10,
)
dots = st.one_of(
    values,
    st.lists(st.dictionaries(st.sampled_from(NAMES), scalars, max_size=3), max_size=4),
    st.lists(st.integers(-5, 5), max_size=6),
    st.lists(st.sampled_from(["a", "b", "ab", "c", ""]), max_size=5),
    st.dictionaries(st.sampled_from(NAMES), values, max_size=4),
)
literals = st.one_of(
    st.sampled_from(
        ["null", "true", "false", "0", "1", "2", "-1", "3.5", "10", '""', '"a"', '"b,a"', '"abc"', "[]", "{}"]
    ),
    st.sampled_from(
        ["[1,2]", '{"a":1}', '["a","b"]', "{a:1,b:{c:2}}", "[[1],[2,[3]]]", '"12"', "[null,1,true]"]
    ),
)
leaves = st.one_of(
    st.just("."),
    st.sampled_from([f".{name}" for name in NAMES]),
    st.sampled_from(
        [".a.b", ".[0]", ".[-1]", ".[1:]", ".[:2]", ".[-2:]", '.["a"]', '."b"', ".a?", ".[]?", ".[]", ".a[]?"]
    ),
    st.sampled_from(["$x", "$y", "$x.a", "$y[0]", "$x[]?"]),
    literals,
    st.sampled_from(
        [
            "length",
            "keys",
            "keys_unsorted",
            "values",
            "type",
            "not",
            "empty",
            "add",
            "any",
            "all",
            "first",
            "last",
            "min",
            "max",
            "unique",
            "sort",
            "reverse",
            "to_entries",
            "from_entries",
            "flatten",
            "floor",
            "ceil",
            "round",
            "abs",
            "tostring",
            "tonumber",
            "tojson",
            "fromjson",
            "ascii_downcase",
            "ascii_upcase",
            "error",
            "utf8bytelength",
            "trim",
            "ltrim",
            "rtrim",
            "scalars",
            "strings",
            "numbers",
            "arrays",
            "objects",
            "iterables",
            "booleans",
            "nulls",
            "@json",
            "@text",
            "@base64",
            "@uri",
            "@csv",
            "@tsv",
            "@html",
            "@sh",
        ]
    ),
)
BINARY = ["+", "-", "*", "/", "%", "==", "!=", "<", "<=", ">", ">=", "and", "or", "//", ",", "|"]
ONE = [
    "map",
    "select",
    "sort_by",
    "group_by",
    "unique_by",
    "min_by",
    "max_by",
    "any",
    "all",
    "first",
    "last",
    "isempty",
    "add",
    "with_entries",
    "has",
    "in",
    "contains",
    "inside",
    "startswith",
    "endswith",
    "ltrimstr",
    "rtrimstr",
    "trimstr",
    "split",
    "join",
    "flatten",
    "index",
    "error",
    "range",
]


def _grown(inner):
    two = st.tuples(inner, inner)
    three = st.tuples(inner, inner, inner)
    return st.one_of(
        st.tuples(inner, st.sampled_from(BINARY), inner).map(lambda t: f"({t[0]} {t[1]} {t[2]})"),
        two.map(lambda t: f"{t[0]} | {t[1]}").map(lambda s: f"({s})"),
        st.tuples(st.sampled_from(ONE), inner).map(lambda t: f"{t[0]}({t[1]})"),
        inner.map(lambda e: f"[{e}]"),
        inner.map(lambda e: f"({e})?"),
        inner.map(lambda e: f"-({e})"),
        inner.map(lambda e: f"(try ({e}) catch type)"),
        # What `catch` sees of an error of the language itself is worded differently.
        st.tuples(literals, inner).map(lambda t: f"(try error({t[0]}) catch ({t[1]}))"),
        two.map(lambda t: f"{{a: ({t[0]}), b: ({t[1]})}}"),
        two.map(lambda t: f'{{"x": {t[0]}, (first({t[1]})): 1, $x, b}}'),
        two.map(lambda t: f'"<\\({t[0]})-\\({t[1]})>"'),
        st.tuples(st.sampled_from(["@json", "@uri", "@base64", "@html", "@sh", "@csv"]), inner).map(
            lambda t: f'{t[0]} "v=\\({t[1]})"'
        ),
        three.map(lambda t: f"(if {t[0]} then {t[1]} else {t[2]} end)"),
        two.map(lambda t: f"(if {t[0]} then {t[1]} end)"),
        three.map(lambda t: f"(if {t[0]} then {t[1]} elif {t[1]} then {t[2]} else {t[0]} end)"),
        two.map(lambda t: f"(({t[0]}) as $x | ({t[1]}))"),
        two.map(lambda t: f"({t[0]})[{t[1]}]"),
        three.map(lambda t: f"({t[0]})[{t[1]}:{t[2]}]"),
        two.map(lambda t: f"({t[0]})[{t[1]}]?"),
        inner.map(lambda e: f"({e}).a"),
        inner.map(lambda e: f"({e})[]?"),
        two.map(lambda t: f"any({t[0]}; {t[1]})"),
        two.map(lambda t: f"all({t[0]}; {t[1]})"),
        two.map(lambda t: f"[range({t[0]}; {t[1]}) | select(. < 9)]"),
        three.map(lambda t: f"({t[0]} // {t[1]} // {t[2]})"),
        three.map(lambda t: f"({t[0]} + {t[1]} + {t[2]})"),
    )


programs = st.recursive(leaves, _grown, max_leaves=8)
variables = st.fixed_dictionaries({"x": values, "y": values})


class JqFailed(Exception):
    """Libjq raised an error."""


class JqFolded(Exception):
    """Libjq found a constant that is no key while compiling; here that is an error of the evaluation."""


def judged(text, dot, bound):
    """Return what libjq says: null for nothing, an array for several results."""
    names = sorted(bound)
    head = ", ".join(f"${name}" for name in ["__dot", *names])
    try:
        program = jq.compile(f". as [{head}] | $__dot | (\n{text}\n)")
        results = program.input_text(json.dumps([dot, *(bound[name] for name in names)])).all()
    except ValueError as failure:
        if "as object key at <top-level>" in str(failure):
            raise JqFolded from None
        raise JqFailed(str(failure)) from None
    return results[0] if len(results) == 1 else results or None


def alike(value):
    """Return the value so that equality means the same to both: no `True == 1`, no sign of zero."""
    if isinstance(value, bool):
        return ("bool", value)
    if isinstance(value, str):
        return re.sub(r"(?<![\w.])-0(?![\w.])", "0", value)
    if isinstance(value, list):
        return [alike(item) for item in value]
    if isinstance(value, dict):
        return {name: alike(item) for name, item in value.items()}
    return value
