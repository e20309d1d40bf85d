"""What the two passes promise, whatever the document: all problems at once, exact places, no crash."""

import textwrap

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dirigent.jq import LANGUAGE
from dirigent.lang.source import load
from dirigent.lang.tree import plain
from dirigent.lang.workflow.document import read_naked, read_workflow
from dirigent.model import limits
from dirigent.model.program import Call, Sequence
from dirigent.model.source import Span
from dirigent.model.values import leaves
from lang.workflow.languages import Brackets

HEAD = "document: {dsl: 1.0.3, namespace: tests, name: case, version: 1.0.0}\n"


def read(text):
    return read_naked(HEAD + textwrap.dedent(text), "flow.yaml", Brackets())


def codes(problems):
    return [problem.code for problem in problems]


def place_of(text, part):
    """Return the span of the first occurrence of a part of one line."""
    for number, line in enumerate((HEAD + textwrap.dedent(text)).splitlines(), 1):
        if part in line:
            column = line.index(part) + 1
            return Span("flow.yaml", number, column, number, column + len(part))
    raise AssertionError(part)


def test_five_independent_mistakes_are_five_problems_in_order_of_place():
    _, problems = read("""
        do:
          - a: {set: {x: '${ .a | }'}, then: nowhere}
          - b: {wait: P1M}
          - c: {call: http, with: {method: get}}
          - d: {raise: {error: unknown}}
        """)
    assert codes(problems) == ["E1301", "E1304", "E1308", "E1202", "E1306"]


def test_a_warning_does_not_keep_a_program_back():
    program, problems = read("do: [{a: {set: {x: 'Hello ${ .name }'}}}]\nextra: 1\n")
    assert program is not None
    assert codes(problems) == ["W1301", "W1303"]
    assert program.root.node.tasks[0].node.value == {"x": "Hello ${ .name }"}


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ("${ .plain }", ".plain"),
        ("${.tight}", ".tight"),
        ("'${ .single }'", ".single"),
        ('"${ .double }"', ".double"),
        ('" ${  .spaced  } "', ".spaced"),
        ("'${ .é + .ü }'", ".é + .ü"),
    ],
)
def test_an_expression_knows_the_place_of_its_text(written, text):
    document = f"do: [{{a: {{set: {{x: {written}}}}}}}]\n" if written[0] in "'\"" else ""
    document = document or f"do:\n  - a:\n      set:\n        x: {written}\n"
    program, problems = read(document)
    assert problems == []
    (leaf,) = leaves(program.root.node.tasks[0].node.value)
    assert leaf.text == text
    assert leaf.span == place_of(document, text)


def test_an_expression_in_a_block_is_placed_within_the_block():
    document = """\
        do:
          - a:
              set:
                x: |
                  ${ .first + .second }
        """
    program, _ = read(document)
    (leaf,) = leaves(program.root.node.tasks[0].node.value)
    assert leaf.span == place_of(document, ".first + .second")


def test_an_expression_behind_escapes_has_the_place_after_its_opening():
    document = "do: [{a: {set: {x: '${ .a == ''b'' }'}}}]\n"
    program, _ = read(document)
    (leaf,) = leaves(program.root.node.tasks[0].node.value)
    assert leaf.text == ".a == 'b'"
    assert (leaf.span.line, leaf.span.column) == (2, document.index("${") + 3)


def test_a_part_of_a_larger_file_keeps_the_places_of_that_file():
    text = "stack: shop\nworkflows:\n  order:\n    " + HEAD + "    do: [{a: {set: {x: '${ ( }'}}}]\n"
    node, _ = load(text, "stack.yaml")
    part = node.get("workflows").get("order")
    program, problems = read_workflow(part, "stack.yaml", text, Brackets())
    assert program is None
    assert [str(problem.at) for problem in problems] == ["stack.yaml:5:28"]


def test_a_program_carries_its_sources_definition_secrets_and_hosts():
    text = """\
        use: {secrets: [b, a]}
        do:
          - one: {call: http, with: {method: get, endpoint: 'http://One.example:80/x'}}
          - two: {call: http, with: {method: get, endpoint: 'https://two.example:80/x'}}
          - again: {call: http, with: {method: get, endpoint: 'https://one.example'}}
        """
    program, problems = read(text)
    assert problems == []
    assert program.sources == {"flow.yaml": HEAD + textwrap.dedent(text)}
    assert program.definition == plain(load(program.sources["flow.yaml"], "flow.yaml")[0])
    assert program.secrets == ("b", "a")
    assert program.hosts == ("one.example", "two.example:80")


def test_a_task_carries_its_definition_as_it_is_written():
    program, _ = read("do: [{a: {if: .x, set: {y: '${ .z }'}}}]\n")
    assert program.root.node.tasks[0].definition == {"if": ".x", "set": {"y": "${ .z }"}}


def test_pointers_are_unique_even_where_a_function_is_called_twice():
    program, _ = read("""
        use: {functions: {f: {do: [{x: {set: {a: 1}}}]}}}
        do: [{a: {call: f, with: {}}}, {b: {call: f}}]
        """)
    pointers = [task.pointer for task in every_task(program.root)]
    assert len(pointers) == len(set(pointers)) == 8


def every_task(task):
    yield task
    if isinstance(task.node, Sequence):
        for child in task.node.tasks:
            yield from every_task(child)


def test_functions_that_call_functions_end_at_a_limit():
    chain = "".join(f"    f{n}: {{call: f{n + 1}}}\n" for n in range(40))
    _, problems = read(f"use:\n  functions:\n{chain}    f40: {{set: {{a: 1}}}}\ndo: [{{a: {{call: f0}}}}]\n")
    assert set(codes(problems)) == {"E1311"}
    assert "deep" in problems[0].message


@pytest.mark.slow
def test_functions_that_double_cannot_grow_without_end():
    doubling = "".join(
        f"    f{n}: {{do: [{{a: {{call: f{n + 1}}}}}, {{b: {{call: f{n + 1}}}}}]}}\n" for n in range(15)
    )
    _, problems = read(
        f"use:\n  functions:\n{doubling}    f15: {{set: {{a: 1}}}}\ndo: [{{a: {{call: f0}}}}]\n"
    )
    assert set(codes(problems)) == {"E1311"}
    assert str(limits.GRAPH_TASKS) in problems[0].message


def test_a_mistake_in_a_function_that_is_called_twice_is_one_problem():
    _, problems = read("""
        use: {functions: {f: {set: {a: '${ ( }'}}}}
        do: [{a: {call: f}}, {b: {call: f}}]
        """)
    assert codes(problems) == ["E1301"]


def test_a_function_does_not_see_the_variables_of_the_loop_that_calls_it():
    _, problems = read("""
        use: {functions: {f: {set: {a: '${ $item }'}}}}
        do: [{a: {for: {in: .x}, do: [{b: {call: f, with: {item: '${ $item }'}}}]}}]
        """)
    assert codes(problems) == ["E1302"]


def test_a_retry_policy_sees_the_error_variable_of_the_catch_that_uses_it():
    document = """
        use: {{retries: {{r: {{when: $err.status == 503}}}}}}
        do: [{{a: {{try: [], catch: {{as: {variable}, retry: r}}}}}}]
        """
    assert read(document.format(variable="err"))[1] == []
    assert codes(read(document.format(variable="error"))[1]) == ["E1302"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "- a\n",
        "just text\n",
        "null\n",
        "do:\n",
        "do: {a: b}\ndocument: [x]\n",
        "use: 3\ndo: [[], {}, 3]\n",
    ],
)
def test_what_is_no_workflow_at_all_gives_problems_and_no_program(text):
    program, problems = read_naked(text, "flow.yaml", Brackets())
    assert program is None
    assert problems


def test_a_document_with_a_broken_form_shows_its_other_problems_too():
    program, problems = read("do:\n  - a: {wait: P1M}\n  - b: {set: {x: 1, x: 2}}\n")
    assert program is None
    assert "E1308" in codes(problems)
    assert len(problems) == 2


def test_a_byte_order_mark_moves_no_place():
    program, problems = read_naked(
        "\ufeff" + HEAD + "do: [{a: {set: {x: '${ .y }'}}}]\n", "flow.yaml", Brackets()
    )
    assert codes(problems) == ["W1101"]
    (leaf,) = leaves(program.root.node.tasks[0].node.value)
    assert (leaf.span.line, leaf.span.column) == (2, 24)


def test_the_deepest_document_that_can_be_loaded_can_be_lowered():
    inner = "{set: {x: 1}}"
    for _ in range(limits.DOCUMENT_DEPTH // 3 - 2):
        inner = f"{{do: [{{a: {inner}}}]}}"
    program, problems = read(f"do: [{{a: {inner}}}]\n")
    assert problems == []
    assert len(list(every_task(program.root))) == limits.DOCUMENT_DEPTH // 3


def test_every_call_holds_when_in_doubt():
    program, _ = read("do: [{a: {run: {shell: {command: ls}}}}]\n")
    assert isinstance(program.root.node.tasks[0].node, Call)
    assert program.root.node.tasks[0].node.on_doubt.value == "hold"


KEYS = (
    "do for in each at while fork branches compete switch when then try catch errors with as retry raise "
    "error type status set wait seconds call method endpoint uri authentication basic use run shell script "
    "code command arguments workflow namespace name input output export from schema document if timeout a b"
)
SCALARS = "1 text true null '${.x}' '${(}' PT5S end http https://a.b/{c}"
VALUES = st.recursive(
    st.sampled_from(SCALARS.split()),
    lambda inner: (
        st.lists(inner, max_size=3).map(lambda items: f"[{', '.join(items)}]")
        | st.dictionaries(st.sampled_from(KEYS.split()), inner, max_size=4).map(
            lambda members: "{" + ", ".join(f"{key}: {value}" for key, value in members.items()) + "}"
        )
    ),
    max_leaves=20,
)


@settings(derandomize=True, deadline=None, max_examples=80)
@given(VALUES, VALUES)
def test_no_structure_makes_the_reader_fail(task, use):
    program, problems = read(f"use: {use}\ndo: [{{a: {task}}}]\n")
    assert (program is None) == any(problem.severity == "error" for problem in problems)
    assert all(problem.at is not None and problem.at.file == "flow.yaml" for problem in problems)


@pytest.mark.parametrize(
    ("written", "code", "marked"),
    [
        ("${ .a | }", "E1301", ".a |"),
        ("${ .a + $itm }", "E1302", "$itm"),
        ("${ $secrets.lost.name }", "E1303", "lost"),
        ("${ \"\\($secrets['x'])\" }", "E1301", None),
    ],
)
def test_jq_itself_tells_the_same_problems_at_the_same_places(written, code, marked):
    text = HEAD + f"do:\n  - a:\n      set:\n        x: {written}\n"
    _, problems = read_naked(text, "flow.yaml", LANGUAGE)
    assert codes(problems) == [code]
    if marked:
        found = place_of(text.removeprefix(HEAD), marked)
        assert (problems[0].at.line, found.column <= problems[0].at.column) == (found.line, True)


def test_variables_that_jq_binds_itself_are_no_mistakes():
    text = HEAD + "do: [{a: {set: {x: '${ [.a[] as $x | reduce .b[] as $y (0; . + $y + $x)] }'}}}]\n"
    assert read_naked(text, "flow.yaml", LANGUAGE)[1] == []
