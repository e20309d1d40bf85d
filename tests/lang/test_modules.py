"""Modules in stack files: which file is meant, and what passes the border."""

import json

import pytest

from dirigent.jq import LANGUAGE
from dirigent.lang.schema import SCHEMAS
from dirigent.lang.stack import StackContext, read_stack, stack_schema
from dirigent.model import limits
from dirigent.model.stack import all_secrets
from dirigent.model.values import Expression
from lang import fakes

NET = """\
stack: network
inputs:
  cidr: {type: string, pattern: "^10[.]"}
  size: {type: integer, default: 3}
resources:
  web: {type: service, with: {command: [web], port: "${ $inputs.size }"}}
outputs:
  subnet: ${ $resources.web.port }
"""


def root(*lines, beside="", outputs=""):
    body = "".join(f"    {line}\n" for line in lines)
    return f"stack: shop\n{beside}resources:\n  net:\n    type: stack\n{body}{outputs}"


def read(text, **files):
    found = {f"/srv/shop/{name.replace('__', '/')}/stack.yaml": each for name, each in files.items()}
    return read_stack(text, "shop/stack.yaml", "/srv/shop", context(found))


def context(files):
    plain = fakes.context(files)
    return StackContext(plain.types, plain.language, SCHEMAS, plain.read_file, plain.read_workflow)


def only(text, **files):
    stack, problems = read(text, **files)
    assert stack is None
    (problem,) = problems
    return problem


USE = "with: {from: ./net, inputs: {cidr: 10.0.0.0/16}}"


def test_a_module_is_read_with_its_stack():
    stack, problems = read(root(USE, "count: 2", "providers: {}"), net=NET)
    assert problems == []
    module = stack.modules["net"]
    assert (module.stack.name, module.stack.folder) == ("network", "/srv/shop/net")
    assert module.inputs == {"cidr": "10.0.0.0/16"}
    assert set(stack.sources) == {"shop/stack.yaml", "shop/net/stack.yaml"}
    assert module.stack.resources["web"].span.file == "shop/net/stack.yaml"
    assert stack.resources["net"].count == 2


def test_a_file_is_named_itself_and_paths_start_from_the_file_that_names_them():
    files = {
        "/srv/shop/parts/net.yaml": root("with: {from: ../others/deep}"),
        "/srv/shop/others/deep/stack.yaml": "stack: deep\n",
    }
    text = root("with: {from: parts/net.yaml}")
    stack, problems = read_stack(text, "stack.yaml", "/srv/shop", context(files))
    assert problems == []
    assert stack.modules["net"].depth == 1
    assert list(stack.sources) == ["stack.yaml", "parts/net.yaml", "others/deep/stack.yaml"]


def test_one_file_is_read_once_however_often_it_is_used():
    more = "  two: {type: stack, with: {from: net, inputs: {cidr: 10.1.0.0/16}}}\n"
    broken = NET + "resource: {}\n"
    stack, problems = read(root(USE) + more, net=NET)
    assert stack.modules["net"].stack is stack.modules["two"].stack
    _, problems = read(root(USE) + more, net=broken)
    assert [str(problem.at) for problem in problems] == ["shop/net/stack.yaml:9:1"]


def test_no_file_is_no_module():
    problem = only(root("with: {from: ./nte}"), net=NET)
    assert (problem.code, problem.at.line) == ("E1445", 5)
    assert only(root("with: {from: '${ 1 }'}")).code == "E1214"


def test_a_circle_of_files_is_shown_as_a_chain():
    one = root("with: {from: ../two}")
    two = root("with: {from: ../one}")
    problem = only(root("with: {from: one}"), one=one, two=two)
    assert problem.code == "E1447"
    chain = "`shop/one/stack.yaml` → `shop/two/stack.yaml` → `shop/one/stack.yaml`"
    assert chain in problem.message
    text = root("with: {from: .}")
    known = context({"/srv/shop/stack.yaml": text})
    (itself,) = read_stack(text, "shop/stack.yaml", "/srv/shop", known)[1]
    assert (itself.code, itself.at.file) == ("E1447", "shop/stack.yaml")


def test_modules_lie_within_each_other_only_so_deep():
    def nested(depth):
        files = {f"m{i}": root(f"with: {{from: ../m{i + 1}}}") for i in range(1, depth)}
        return read(root("with: {from: m1}"), **files, **{f"m{depth}": "stack: last\n"})

    stack, problems = nested(limits.MODULE_DEPTH)
    assert (problems, stack.modules["net"].depth) == ([], limits.MODULE_DEPTH - 1)
    stack, problems = nested(limits.MODULE_DEPTH + 1)
    assert stack is None
    assert "E1448" in {problem.code for problem in problems}


@pytest.mark.parametrize(
    ("inputs", "code", "words", "column"),
    [
        ("{cidr: 10.0.0.0/8, sise: 3}", "E1449", "did you mean `size`?", 50),
        ("{size: 3}", "E1450", "`cidr` is missing", 31),
        ("{cidr: 11.0.0.0/8}", "E1451", "does not fit", 38),
        ("{cidr: 10.0.0.0/8, size: big}", "E1451", "does not fit", 56),
    ],
)
def test_what_a_module_is_given_is_checked_with_both_places(inputs, code, words, column):
    problem = only(root(f"with: {{from: net, inputs: {inputs}}}"), net=NET)
    assert (problem.code, problem.label, problem.at.column) == (code, words, column)
    (other,) = problem.others
    assert other.span.file == "shop/net/stack.yaml"


def test_what_an_expression_gives_is_not_known_yet():
    text = root('with: {from: net, inputs: {cidr: "${ $stack.name }"}}')
    stack, problems = read(text, net=NET)
    assert problems == []
    assert stack.modules["net"].inputs["cidr"] == Expression(
        "$stack.name", stack.modules["net"].inputs["cidr"].span
    )


@pytest.mark.parametrize(
    ("lines", "text", "fits"),
    [
        ((), "$resources.net.subnet", True),
        ((), "$resources.net.subnett", False),
        ((), '$resources["net"]["web"]', False),
        (("count: 2",), "$resources.net[0].subnet", True),
        (("count: 2",), "$resources.net[0].web", False),
        (("each: [a]",), '$resources.net["a"].subnet', True),
        (("each: [a]",), "[$resources.net[].web]", False),
        ((), "$resources.net | keys", True),
    ],
)
def test_only_outputs_are_seen_from_outside(lines, text, fits):
    stack = root(USE, *lines, outputs=f"outputs:\n  x: '${{ {text} }}'\n")
    found = [problem.code for problem in read_stack(stack, "s.yaml", "/srv/shop", real())[1]]
    assert found == ([] if fits else ["E1452"])


def real():
    from_files = context({"/srv/shop/net/stack.yaml": NET})
    return StackContext(from_files.types, LANGUAGE, SCHEMAS, from_files.read_file, from_files.read_workflow)


def test_a_module_is_no_barrier_when_the_file_is_read():
    text = root(
        'with: {from: net, inputs: {cidr: "${ $resources.mid.url }"}}',
        outputs="  mid: {type: service, with: {command: ['${ $resources.net.subnet }']}}\n",
    )
    stack, problems = read(text, net=NET)
    assert problems == []
    assert set(stack.resources) == {"net", "mid"}


@pytest.mark.parametrize("section", ["workflows", "queues", "schedules", "events", "policy"])
def test_some_sections_belong_to_the_stack_that_is_applied(section):
    part = f"stack: part\n{section}: {{}}\n"
    problem = only(root("with: {from: net}"), net=part)
    assert (problem.code, str(problem.at)) == ("E1456", "shop/net/stack.yaml:2:1")
    assert str(problem.others[0].span) == "shop/stack.yaml:5:18"
    assert read(part)[1] == []


@pytest.mark.parametrize(
    ("section", "code"),
    [("import: [{to: web, id: x}]", "E1444"), ("forget: [{resource: former}]", "E1446")],
)
def test_what_is_taken_over_or_let_go_of_is_for_the_stack_that_is_applied(section, code):
    part = f"stack: part\nresources: {{web: {{type: service, with: {{command: [x]}}}}}}\n{section}\n"
    problem = only(root("with: {from: net}"), net=part)
    assert (problem.code, str(problem.at)) == (code, "shop/net/stack.yaml:3:1")
    assert str(problem.others[0].span) == "shop/stack.yaml:5:18"
    assert read(part)[1] == []


def test_a_module_may_say_what_has_moved_in_it():
    part = (
        "stack: part\nmoved: [{from: a, to: web}]\nresources: {web: {type: service, with: {command: [x]}}}\n"
    )
    stack, problems = read(root("with: {from: net}"), net=part)
    assert problems == []
    assert [move.to for move in stack.modules["net"].stack.moved] == ["web"]


NEEDS = 'stack: part\nproviders: {docker: {source: acme/docker, version: ">= 2.1"}}\n'


def test_versions_of_a_module_and_its_parent_hold_together():
    deep = NEEDS + "resources:\n  deep: {type: stack, with: {from: deep}}\n"
    files = {"net": deep, "net__deep": NEEDS.replace(">= 2.1", "!= 2.3")}
    beside = 'providers: {docker: {source: acme/docker, version: "~> 2.0"}, west: {of: docker}}\n'
    stack, problems = read(root("with: {from: net}", "providers: {docker: west}", beside=beside), **files)
    assert problems == []
    assert stack.modules["net"].providers == {"docker": "west"}
    assert {name: each.version for name, each in stack.providers.items()} == dict.fromkeys(
        ("docker", "west"), "~> 2.0, >= 2.1, != 2.3"
    )


@pytest.mark.parametrize(
    ("beside", "lines", "code"),
    [
        ("", (), "E1453"),
        ("providers: {docker: {source: other/docker}}\n", (), "E1454"),
        ("providers: {docker: {source: acme/docker}}\n", ("providers: {dockr: docker}",), "E1455"),
        ("providers: {docker: {source: acme/docker}}\n", ("providers: {docker: west}",), "E1453"),
    ],
)
def test_providers_of_a_module_are_those_of_its_parent(beside, lines, code):
    assert only(root("with: {from: net}", *lines, beside=beside), net=NEEDS).code == code


def test_secrets_of_modules_are_found_where_their_files_say():
    part = "stack: part\nsecrets:\n  key: {file: keys/one}\n  word: {env: WORD}\n"
    stack, _ = read(root("with: {from: net}", beside="secrets:\n  own: {env: OWN}\n"), net=part)
    found = {name: (each.name, each.at) for name, each in all_secrets(stack).items()}
    assert found == {
        "own": ("own", "OWN"),
        "net/key": ("net/key", "/srv/shop/net/keys/one"),
        "net/word": ("net/word", "WORD"),
    }


@pytest.mark.parametrize("line", ["provider: x", "lifecycle: {ignore: [a]}", "with: {form: net}"])
def test_what_makes_no_sense_for_a_module_is_refused(line):
    lines = [line] if line.startswith("with") else [USE, line]
    assert "E1203" in {problem.code for problem in read(root(*lines), net=NET)[1]}


def test_editors_know_of_modules():
    text = json.dumps(stack_schema(fakes.context().types))
    assert "a folder with a `stack.yaml`, or a file" in text
