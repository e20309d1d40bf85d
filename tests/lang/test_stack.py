"""Stack files that are right, and what the malformed ones cannot show: order, places, warnings."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dirigent.lang.schema import SCHEMAS, schema_fault
from dirigent.lang.source import load
from dirigent.lang.stack import read_stack, stack_schema
from dirigent.lang.tree import plain
from dirigent.model.problem import ordered
from dirigent.model.resource import Lifecycle, Replace
from dirigent.model.source import Span
from dirigent.model.stack import Input, Secret
from dirigent.model.values import Expression
from lang import fakes

SHOP = """\
stack: shop
description: A shop
inputs:
  rate: {type: number, default: 20}
  name: {type: string, minLength: 2}
  nothing: {default: null}
secrets:
  payment-key: {env: PAYMENT_KEY}
  token: {file: keys/token}
resources:
  config:
    type: file
    with:
      path: build/shop.json
      content: '${ {inventory: $resources.inventory.url} | tojson }'
      mode: "0640"
  inventory:
    type: service
    runtime: process
    with:
      command: [python3, -m, inventory, --port, "{port}"]
      health: {http: /health}
      environment: {KEY: '${ $secrets["payment-key"] }', "a.b": x}
    replicas: 2
    lifecycle: {protect: true, replace: create-first, ignore: [environment.LEVEL]}
    needs: [pay]
  pay:
    type: service
    count: ${ $inputs.rate }
    with: {command: [pay], port: "${ $each.key + 8000 }"}
  regional:
    type: file
    each: {eu: 1, us: 2}
    with: {path: "${ $each.key }"}
  three:
    type: file
    count: 3
    with: {path: a}
workflows:
  place-order:
    document: {dsl: 1.0.3, namespace: shop, name: place-order, version: 1.0.0}
    use: {secrets: [token]}
    do: []
  other: {from: flows/other.yaml, input: {url: "${ $resources.pay[0].url }", rate: 3}}
policy:
  http:
    hosts: [api.example.com, "*.example.org", "[::1]:8080", api.example.com]
    probes:
      - call: POST https://api.example.com/payments
        reference: {header: X-Reference}
        ask: https://api.example.com/payments/{reference}
        found: ${ select(.done) }
        settle: 2m
outputs:
  url: ${ $resources.inventory.url }
  all: {name: "${ $stack.name }", list: [1, "${ $inputs.name }"]}
"""
OTHER = "document: {dsl: 1.0.3, namespace: shop, name: other, version: 1.0.0}\ndo: []\n"
FILES = {"/srv/shop/flows/other.yaml": OTHER}


def read(text, files=None):
    return read_stack(text, "stacks/stack.yaml", "/srv/shop", fakes.context(files or {}))


def shop():
    stack, problems = read(SHOP, FILES)
    assert problems == []
    return stack


def codes(text, files=None):
    return [problem.code for problem in read(text, files)[1]]


def web(*lines):
    return "stack: s\nresources:\n  web:\n    type: service\n    with: {command: [web]}\n" + "".join(
        f"    {line}\n" for line in lines
    )


def test_the_head_of_a_stack():
    stack = shop()
    assert (stack.name, stack.folder, stack.description) == ("shop", "/srv/shop", "A shop")
    assert stack.hosts == ("api.example.com", "*.example.org", "[::1]:8080")
    assert stack.probes == (
        {
            "call": "POST https://api.example.com/payments",
            "reference": {"header": "X-Reference"},
            "ask": "https://api.example.com/payments/{reference}",
            "found": "select(.done)",
            "settle": 120.0,
        },
    )
    assert stack.sources == {"stacks/stack.yaml": SHOP, "stacks/flows/other.yaml": OTHER}


def test_inputs_have_their_schema_without_the_default():
    inputs = shop().inputs
    assert list(inputs) == ["rate", "name", "nothing"]
    span = Span("stacks/stack.yaml", 4, 3, 4, 7)
    assert inputs["rate"] == Input("rate", {"type": "number"}, default=20, required=False, span=span)
    assert (inputs["name"].required, inputs["name"].schema) == (True, {"type": "string", "minLength": 2})
    assert (inputs["nothing"].required, inputs["nothing"].default) == (False, None)


def test_secrets_say_where_they_are_found():
    secrets = shop().secrets
    assert secrets["payment-key"] == Secret(
        "payment-key", "env", "PAYMENT_KEY", Span("stacks/stack.yaml", 8, 3, 8, 14)
    )
    assert (secrets["token"].kind, secrets["token"].at) == ("file", "keys/token")


def test_a_resource_has_the_keys_inside_and_beside_with_in_one_map():
    inventory = shop().resources["inventory"]
    assert list(inventory.config) == ["command", "health", "environment", "runtime", "replicas"]
    assert inventory.config["replicas"] == 2
    assert inventory.needs == ("pay",)
    assert inventory.lifecycle == Lifecycle(True, Replace.CREATE_FIRST, ("environment.LEVEL",))


def test_expressions_have_the_place_of_their_text():
    config = shop().resources["config"]
    found = config.config["content"]
    assert isinstance(found, Expression)
    assert found.text == "{inventory: $resources.inventory.url} | tojson"
    line = SHOP.splitlines()[found.span.line - 1]
    assert line[found.span.column - 1 : found.span.end_column - 1] == found.text


def test_every_property_has_its_place():
    spans = shop().resources["inventory"].spans
    lines = SHOP.splitlines()

    def text(path):
        span = spans[path]
        return lines[span.line - 1][span.column - 1 : span.end_column - 1]

    assert text("with.health.http") == "/health"
    assert text("with.command[2]") == "inventory"
    assert text("with.command") == "command"
    assert text('with.environment["a.b"]') == "x"
    assert text("replicas") == "2"
    assert text("lifecycle.protect") == "true"
    assert text("needs") == "needs"


def test_instances_come_from_count_or_each():
    resources = shop().resources
    assert resources["pay"].count == Expression("$inputs.rate", Span("stacks/stack.yaml", 29, 15, 29, 27))
    assert resources["three"].count == 3
    assert resources["regional"].each == {"eu": 1, "us": 2}
    assert resources["config"].count is None
    assert resources["config"].each is None


def test_workflows_are_inline_or_in_files_with_input_under_the_caller_s():
    workflows = shop().workflows
    assert workflows["place-order"].program.name == "place-order"
    assert workflows["place-order"].input == {}
    assert workflows["other"].program.name == "other"
    assert workflows["other"].input["rate"] == 3
    assert isinstance(workflows["other"].input["url"], Expression)


def test_outputs_are_templates():
    outputs = shop().outputs
    assert outputs["url"].text == "$resources.inventory.url"
    assert outputs["all"]["list"][0] == 1


def test_the_smallest_stack_is_a_name():
    stack, problems = read("stack: s\n")
    assert problems == []
    assert stack.resources == {}


def test_an_expression_over_several_lines_is_found_where_it_begins():
    text = "stack: s\noutputs:\n  a: |\n    ${\n      $inputs.nope\n    }\n"
    (problem,) = read(text)[1]
    assert (problem.code, str(problem.at)) == ("E1402", "stacks/stack.yaml:5:15")


def test_an_expression_behind_escapes_marks_the_name_all_the_same():
    (problem,) = read('stack: s\noutputs:\n  a: "${ $secrets[\\"nope\\"] }"\n')[1]
    assert (problem.code, str(problem.at)) == ("E1303", "stacks/stack.yaml:3:21")


def test_after_a_byte_order_mark_the_places_are_right():
    _, problems = read("\ufeffstack: s\noutputs: {a: '${ $inputs.b }'}\n")
    assert [problem.code for problem in problems] == ["W1101", "E1402"]
    assert str(problems[1].at) == "stacks/stack.yaml:2:26"


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ("http://${ .x }", "W1301"),
        ("'${a} and b'", "W1301"),
        ("$inputs.port", "W1401"),
        ('$resources["a"]', "W1401"),
        ("price in $", None),
        ("$HOME/x", None),
        ("|\n      echo ${HOME}", None),
        ("|\n      echo ${ $inputs.x }", "W1301"),
    ],
)
def test_text_that_looks_like_an_expression_is_a_warning(value, code):
    stack, problems = read(f"stack: s\noutputs:\n  a: {value}\n")
    assert [problem.code for problem in problems] == ([code] if code else [])
    assert stack is not None


def test_problems_come_in_order_of_place():
    text = web("needs: [x]", "replicas: many") + "outputs: {a: '${ $inputs.b }'}\nstak: x\n"
    _, problems = read(text)
    assert problems == list(ordered(problems))
    assert [problem.code for problem in problems] == ["E1404", "E1201", "E1402", "E1203"]


def test_what_is_wrong_in_form_is_not_said_again():
    # The leading zero makes the port a text, which the shape would report at the same place.
    text = "stack: s\nresources:\n  web:\n    type: service\n    with: {command: [web], port: 080}\n"
    assert codes(text) == ["E1125"]


def test_two_cycles_are_two_problems_and_what_hangs_on_them_is_none():
    entries = {"a": "b", "b": "a", "c": "d", "d": "e", "e": "c", "f": "a", "g": "f"}
    text = "stack: s\nresources:\n" + "".join(
        f"  {name}: {{type: file, needs: [{need}], with: {{path: x}}}}\n" for name, need in entries.items()
    )
    problems = read(text)[1]
    assert [problem.code for problem in problems] == ["E1405", "E1405"]
    assert "`a` → `b` → `a`" in problems[0].message
    assert "`c` → `d` → `e` → `c`" in problems[1].message
    assert len(problems[1].others) == 2


def test_a_cycle_may_run_through_count():
    text = web("count: ${ $resources.b.size }") + "  b: {type: file, needs: [web], with: {path: x}}\n"
    assert codes(text) == ["E1405"]


@pytest.mark.slow
def test_a_thousand_cycles_are_found_in_time():
    text = "stack: s\nresources:\n" + "".join(
        f"  r{number}: {{type: file, needs: [r{number ^ 1}], with: {{path: x}}}}\n" for number in range(2000)
    )
    assert codes(text) == ["E1405"] * 20


def test_names_of_secrets_are_not_asked_of_each_and_outputs_may_hold_secrets():
    text = "stack: s\nsecrets: {k: {env: K}}\noutputs: {a: '${ $secrets.k }'}\n"
    assert codes(text) == []


@pytest.mark.parametrize("where", ["count", "each"])
def test_a_secret_decides_no_number(where):
    text = web(f"{where}: ${{ $secrets.k }}") + "secrets: {k: {env: K}}\n"
    assert codes(text) == ["E1411"]


def test_a_type_without_required_properties_needs_no_with():
    text = "stack: s\nresources:\n  a: {type: directory, with: {path: x}}\n  b: {type: file}\n"
    assert codes(text) == ["E1202"]


def test_a_value_written_in_the_place_of_a_secret_is_not_repeated():
    (problem,) = read("stack: s\nsecrets:\n  k:\n    hunter2\n")[1]
    assert problem.code == "E1418"
    assert "hunter2" not in str(problem) + problem.label + "".join(problem.help)


def test_the_file_of_a_workflow_is_looked_up_from_the_folder_of_the_stack():
    seen = []
    context = fakes.context()
    asked = type(context)(
        context.types,
        context.language,
        context.schemas,
        seen.append,
        context.read_workflow,
    )
    _, (problem,) = read_stack(
        "stack: s\nworkflows: {w: {from: ../w.yaml}}\n", "stack.yaml", "/srv/shop", asked
    )
    assert problem.code == "E1413"
    assert seen == ["/srv/shop/../w.yaml"]


def test_problems_of_a_workflow_file_stand_in_that_file():
    _, (problem,) = read("stack: s\nworkflows: {w: {from: w.yaml}}\n", {"/srv/shop/w.yaml": "a: [\n"})
    assert (problem.code, str(problem.at)) == ("E1115", "stacks/w.yaml:1:4")


def test_problems_of_the_workflow_reader_are_kept():
    text = "stack: s\nworkflows:\n  w:\n    document: {name: w}\n"
    (problem,) = read(text)[1]
    assert problem.message == "a workflow lacks `do`"


def test_the_json_schema_accepts_the_shop_and_refuses_what_the_check_refuses():
    schema = stack_schema(fakes.context().types)
    assert schema_fault(schema) is None
    assert json.loads(json.dumps(schema)) == schema
    assert SCHEMAS.violation(schema, plain(load(SHOP, "f")[0])) is None
    for wrong in ("stack: S\n", web("replcas: 3"), web("runtime: ${ .x }"), "stack: s\nsecrets: {a: b}\n"):
        assert SCHEMAS.violation(schema, plain(load(wrong, "f")[0])) is not None, wrong


PIECES = st.sampled_from(
    [
        "stack: s",
        "inputs:",
        "resources:",
        "outputs:",
        "workflows:",
        "secrets:",
        "policy:",
        "  web:",
        "  a: {type: number, default: x}",
        "  k: {env: K}",
        "    type: service",
        "    with: {command: [a]}",
        "    with:",
        "      command: ${ $resources.web }",
        "    needs: [web, a]",
        "    needs: web",
        "    count: ${ $secrets.k }",
        "    each: [1, {}]",
        "    lifecycle: 5",
        "    lifecycle: {ignore: 3, replace: []}",
        "    from: x",
        "    document: {name: [x]}",
        "    do: []",
        "  http: {hosts: {}}",
        "  - x",
        "  u: ${ $resources[$inputs.a] | (",
        "  u: ${}",
        "  u: 007",
    ]
)


@settings(derandomize=True, deadline=None, max_examples=150)
@given(st.lists(PIECES, max_size=14))
def test_no_stack_makes_the_reader_raise(pieces):
    stack, problems = read("\n".join(pieces) + "\n")
    assert (stack is None) == any(problem.severity == "error" for problem in problems)
    assert problems == list(ordered(problems))


@settings(derandomize=True, deadline=None, max_examples=80)
@given(st.integers(0, len(SHOP)), st.integers(0, 12), st.text("{}[]:,'\"$ \n-#&*!a0", max_size=4))
def test_no_damage_to_a_stack_makes_the_reader_raise(start, length, put):
    stack, problems = read(SHOP[:start] + put + SHOP[start + length :], FILES)
    assert stack is not None or problems


PYTHON = """
from dirigent import step, workflow
import dirigent

@workflow
async def place(order: int) -> int:
    return order

@dirigent.workflow(timeout=5)
async def slow() -> None: ...

@step
async def charge() -> None: ...

async def neither() -> None: ...
"""


def coded(python, files=("flows.py",)):
    text = f"stack: s\nworkflows:\n  w: {{python: {python}, input: {{order: 7}}}}\n"
    return read(text, {f"/srv/shop/{name}": PYTHON for name in files})


@pytest.mark.parametrize("name", ["place", "slow"])
def test_a_workflow_in_python_is_found_in_the_text_of_its_file(name):
    stack, problems = coded(f"'flows.py:{name}'")
    assert not problems
    program = stack.workflows["w"].program
    assert (program.name, program.root.node.module, program.root.node.name) == (name, "flows", name)
    assert stack.workflows["w"].input == {"order": 7}


def test_the_module_of_a_file_in_a_folder_has_its_dots():
    stack, _ = coded("'shop/flows.py:place'", ["shop/flows.py"])
    assert stack.workflows["w"].program.root.node.module == "shop.flows"


@pytest.mark.parametrize(
    ("python", "code"),
    [
        ("flows.place", "E1900"),
        ("'/flows.py:place'", "E1900"),
        ("'../flows.py:place'", "E1900"),
        ("'flows.py:plase'", "E1901"),
        ("'flows.py:charge'", "E1901"),
        ("'flows.py:neither'", "E1901"),
        ("'other.py:place'", "E1413"),
    ],
)
def test_what_names_no_workflow_in_python_is_told_with_its_place(python, code):
    _, (problem,) = coded(python)
    assert problem.code == code
    assert problem.at.line == 3


def test_a_file_that_is_no_python_is_told_with_its_line():
    text = "stack: s\nworkflows: {w: {python: 'flows.py:place'}}\n"
    _, (problem,) = read(text, {"/srv/shop/flows.py": "x = 1\ndef (\n"})
    assert problem.code == "E1902"
    assert problem.label == "see its line 2"
