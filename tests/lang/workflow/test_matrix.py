"""Which arguments of the standard each expression sees: its table, row by row, column by column."""

import pytest

from dirigent.jq import LANGUAGE
from dirigent.lang.workflow.document import read_naked

HEAD = "document: {dsl: 1.0.3, namespace: tests, name: case, version: 1.0.0}\n"
ARGUMENTS = ("context", "input", "output", "secrets", "task", "workflow", "runtime", "authorization")
SET = "set: {x: 1}"
# The table of "Runtime Expression Arguments", in its order, then what the standard leaves out.
PLACES = {
    "workflow input.from": ("input: {from: %s}\ndo: []\n", "secrets workflow runtime"),
    "task if": (f"do: [{{a: {{if: %s == 1, {SET}}}}}]\n", "context secrets task workflow runtime"),
    "task input.from": (
        f"do: [{{a: {{input: {{from: %s}}, {SET}}}}}]\n",
        "context secrets task workflow runtime",
    ),
    "task definition": (
        "do: [{a: {set: {x: '${ %s }'}}}]\n",
        "context input secrets task workflow runtime authorization",
    ),
    "task output.as": (
        f"do: [{{a: {{{SET}, output: {{as: %s}}}}}}]\n",
        "context input secrets task workflow runtime authorization",
    ),
    "task export.as": (
        f"do: [{{a: {{{SET}, export: {{as: %s}}}}}}]\n",
        "context input output secrets task workflow runtime authorization",
    ),
    "workflow output.as": ("output: {as: %s}\ndo: []\n", "context secrets workflow runtime"),
    "workflow timeout": ("timeout: {after: '${ %s }'}\ndo: []\n", "secrets workflow runtime"),
    "task timeout": (
        f"do: [{{a: {{timeout: {{after: '${{ %s }}'}}, {SET}}}}}]\n",
        "context input secrets task workflow runtime authorization",
    ),
    "for.while": (
        f"do: [{{a: {{for: {{in: .}}, while: %s == 1, do: [{{b: {{{SET}}}}}]}}}}]\n",
        "context input secrets task workflow runtime authorization",
    ),
    "catch.when": (
        f"do: [{{a: {{try: [{{b: {{{SET}}}}}], catch: {{when: %s == 1}}}}}}]\n",
        "context input secrets task workflow runtime authorization",
    ),
}


@pytest.mark.parametrize("argument", ARGUMENTS)
@pytest.mark.parametrize("place", PLACES)
def test_an_argument_is_seen_where_the_standard_says_and_nowhere_else(place, argument):
    text, seen = PLACES[place]
    program, problems = read_naked(HEAD + text % f"${argument}", "flow.yaml", LANGUAGE)
    if argument in seen.split():
        assert program is not None, problems
    else:
        (problem,) = [each for each in problems if each.severity == "error"]
        assert problem.code == "E1940"
        assert f"`${argument}`" in problem.message
        assert problem.at is not None
        assert HEAD.count("\n") < problem.at.line
        assert set(seen.split()) == {
            name.strip("`$") for name in problem.help[0].split(": ")[1].split(", ")
        } - {
            "item",
            "index",
            "error",
        }


@pytest.mark.parametrize("place", PLACES)
def test_a_variable_of_nobody_is_unknown_at_every_place(place):
    program, problems = read_naked(HEAD + PLACES[place][0] % "$nobody", "flow.yaml", LANGUAGE)
    assert program is None
    assert {each.code for each in problems if each.severity == "error"} == {"E1302"}


def test_a_definition_of_use_is_checked_for_the_arguments_that_no_use_of_it_could_see():
    text = "use: {retries: {r: {when: '$output == 1', delay: PT1S}}}\ndo: []\n"
    assert [each.code for each in read_naked(HEAD + text, "flow.yaml", LANGUAGE)[1]] == ["E1940"]
    free = "use: {retries: {r: {when: '$mine == 1', delay: PT1S}}}\ndo: []\n"
    assert read_naked(HEAD + free, "flow.yaml", LANGUAGE)[1] == []
