"""Where the types of providers come from: kept by the digest of a program, else asked of it once."""

import asyncio
import json
import os
import sys
from hashlib import sha256
from pathlib import Path
from types import SimpleNamespace

import pytest

from dirigent.app.types import known
from dirigent.app.types.offers import offers_of, shelf_of
from dirigent.cli.given import Options
from dirigent.cli.place import place
from dirigent.cli.schemas import schema_of
from dirigent.cli.stack.reading import alone, complete
from dirigent.cli.work import document
from dirigent.cli.work.types import explain
from dirigent.lang.schema import SCHEMAS
from dirigent.lang.stack import Offer, declared_providers
from dirigent.model import limits
from dirigent.model.problem import Refusal
from dirigent.providers.tofu.finding.places import places_of
from dirigent.providers.tofu.learning import Unlearned, learned
from dirigent.providers.tofu.schema.kept import Kept
from dirigent.providers.tofu.schema.shape import Attribute, Block, Schema
from dirigent.providers.tofu.values.types import STRING
from providers.tofu.conftest import program_of
from providers.tofu.shapes import BOX

ROOT = Path(__file__).parents[3]
HEAD = "stack: demo\nproviders:\n  fixture: {source: acme/fixture}\n"
STACK = f"{HEAD}resources:\n  box: {{type: fixture_box, with: {{name: a}}}}\n"


@pytest.fixture
def desk(tmp_path, monkeypatch):
    """A stack whose provider is a program that nobody need start: what it would say is kept."""
    monkeypatch.setenv("DIRIGENT_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("NO_COLOR", "1")
    desk = Desk(tmp_path)
    monkeypatch.setenv("DIRIGENT_PROVIDER_FIXTURE", str(desk.program("exit 1")))
    return desk


class Desk:
    def __init__(self, folder):
        self.folder = folder
        self.file = folder / "stack.yaml"
        self.file.write_text(STACK)

    def program(self, words):
        program = self.folder / "terraform-provider-fixture"
        program.write_text(f"#!/bin/sh\n{words}\n")
        program.chmod(0o755)
        return program

    def keep(self):
        digest = sha256((self.folder / "terraform-provider-fixture").read_bytes()).hexdigest()
        kept = Kept(Schema(0, BOX), {"fixture_box": Schema(0, BOX)})
        shelf_of(places_of(self.folder, os.environ)).keep(digest, kept)

    def options(self, **more):
        return Options({"directory": str(self.folder), **more})

    def offered(self, *, strict=False):
        declared = declared_providers(self.file.read_text(), str(self.file))
        return offers_of(declared, self.folder, strict=strict)


def codes(refusal):
    return [problem.code for problem in refusal.value.problems]


def test_what_is_kept_of_a_program_is_not_asked_of_it(desk):
    desk.keep()
    offer = desk.offered()["fixture"]
    assert isinstance(offer, Offer)
    assert list(offer.types) == ["fixture_box"]
    assert offer.types["fixture_box"].wanted
    assert (len(offer.types), offer.types.get("fixture_x")) == (1, None)


def test_a_program_with_another_content_is_asked_anew(desk):
    desk.keep()
    desk.program("exit 3")
    (problem,) = [desk.offered(strict=True)["fixture"]]
    assert (problem.code, problem.at.line) == ("E3040", 3)
    assert "exit code 3" in problem.message


def test_who_looks_is_told_and_who_plans_is_refused(desk, monkeypatch, capsys):
    monkeypatch.delenv("DIRIGENT_PROVIDER_FIXTURE")
    desk.file.write_text(STACK.replace("name: a", "nam: a"))
    assert document.check(desk.options()) == 0
    told = capsys.readouterr()
    assert "warning[W1428]: the types of `fixture` are not known here, and not checked" in told.err
    assert "stack.yaml:3:3" in told.err
    assert told.out.endswith("ok (stack demo: 1 resource, 0 workflows, 0 inputs)\n")
    options = desk.options()
    with pytest.raises(Refusal) as refusal:
        complete(options, place(options), planning=True)
    assert codes(refusal) == ["E3023"]
    assert complete(options, place(options), planning=False)[0].name == "demo"
    # A command that only follows a run needs no provider.
    assert alone(place(options)).resources["box"].provider == "fixture"


def test_mirrors_that_are_none_are_the_reason(desk, monkeypatch):
    monkeypatch.setenv("DIRIGENT_PROVIDERS", "ftp://nowhere")
    assert desk.offered()["fixture"].code == "W1428"
    assert desk.offered(strict=True)["fixture"].code == "E3038"


def test_a_stack_is_checked_against_the_types_of_its_provider(desk, capsys):
    desk.keep()
    desk.file.write_text(STACK.replace("name: a", "nam: a, port: [{number: x}]"))
    with pytest.raises(Refusal) as refusal:
        document.check(desk.options())
    assert codes(refusal) == ["E1203", "E1201"]
    assert [problem.at.line for problem in refusal.value.problems] == [5, 5]
    desk.file.write_text(STACK)
    assert document.check(desk.options()) == 0
    assert not capsys.readouterr().err


def test_an_identity_that_only_the_provider_knows_is_refused(desk):
    desk.keep()
    rule = "lifecycle: {identity: '{id}'}"
    desk.file.write_text(STACK.replace("with: {name: a}", f"with: {{name: a}}, {rule}"))
    with pytest.raises(Refusal) as refusal:
        document.check(desk.options())
    assert codes(refusal) == ["E1429"]
    assert "only the provider decides" in refusal.value.problems[0].message
    desk.file.write_text(desk.file.read_text().replace("{id}", "{name}/{note}"))
    assert document.check(desk.options()) == 0


def test_the_schema_for_editors_has_the_types_of_the_stack(desk, capsys):
    desk.keep()
    assert document.schema(desk.options(what="stack", as_json=True)) == 0
    written = json.loads(capsys.readouterr().out)
    branches = written["properties"]["resources"]["additionalProperties"]["else"]["allOf"]
    types = [branch["if"]["properties"]["type"]["const"] for branch in branches]
    assert types == ["fixture_box", "file", "directory", "service", "stack"]
    inside = branches[0]["then"]["properties"]["with"]["properties"]
    assert "port" in inside
    assert "id" not in inside, "what the provider decides is not offered"


def test_a_provider_that_modules_declare_too_is_looked_for_once(desk, monkeypatch):
    module = desk.folder / "part"
    module.mkdir()
    (module / "stack.yaml").write_text(
        STACK.replace("stack: demo", "stack: part").replace("name: a", "nam: a")
    )
    desk.file.write_text(f"{STACK}  part: {{type: stack, with: {{from: part}}}}\n")
    asked = []

    def told(declared, folder, *, strict):
        asked.append(list(declared))
        return offers_of(declared, folder, strict=strict)

    desk.keep()
    monkeypatch.setattr(known, "OFFERS", "told")
    monkeypatch.setitem(sys.modules, "told", SimpleNamespace(offers_of=told))
    with pytest.raises(Refusal) as refusal:
        document.check(desk.options())
    assert asked == [["fixture"]]
    assert [Path(problem.at.file).parent.name for problem in refusal.value.problems] == ["part"]
    monkeypatch.delenv("DIRIGENT_PROVIDER_FIXTURE")
    options = desk.options()
    with pytest.raises(Refusal) as refusal:
        complete(options, place(options), planning=True)
    places = [Path(problem.at.file).parent.name for problem in refusal.value.problems]
    assert (codes(refusal), set(places)) == (["E3023"] * 2, {desk.folder.name, "part"})


def test_all_types_are_listed(desk, capsys):
    desk.keep()
    assert explain(desk.options()) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split("  ")[:2] for line in lines] == [
        ["DIRIGENT'S OWN"],
        ["", "file"],
        ["", "directory"],
        ["", "service"],
        ["", "stack"],
        [""],
        ["OF THE PROVIDER fixture"],
        ["", "fixture_box"],
    ]


def test_a_type_of_a_provider_that_nobody_knows_is_told_so(desk, monkeypatch, capsys):
    monkeypatch.delenv("DIRIGENT_PROVIDER_FIXTURE")
    with pytest.raises(Refusal) as refusal:
        explain(desk.options(what="fixture_box"))
    assert refusal.value.problems[0].help[0] == "it may be one of `fixture`, whose types are not known here"
    assert "W1428" in capsys.readouterr().err


BOX_TEXT = """\
TYPE  fixture_box
OF THE PROVIDER  fixture

PROPERTIES under `with`
  name    text                                        required
  size    a number
  tags    a mapping from names to texts
  note    text                                        computed
  secret  text                                        sensitive
  parts   a mapping from names to mappings            computed
      its parts: dirigent explain fixture_box.parts
  port    a mapping, or a list of at most 3 mappings
      its parts: dirigent explain fixture_box.port
  rule    a mapping, or a list of mappings
      its parts: dirigent explain fixture_box.rule
  limits  a mapping
      its parts: dirigent explain fixture_box.limits
  group   a mapping from names to mappings
      its parts: dirigent explain fixture_box.group

DECIDED BY THE PROVIDER
  id  text  computed

EXAMPLE
  resources:
    example:
      type: fixture_box
      with:
        name: "..."
"""
PORT_TEXT = """\
PART  fixture_box.port
OF THE PROVIDER  fixture
WRITTEN AS  a mapping, or a list of at most 3 mappings (optional)

PROPERTIES
  number  a number  required

DECIDED BY THE PROVIDER
  bound  text  computed

EXAMPLE
  port:
    - number: 1
"""


@pytest.mark.parametrize(
    ("what", "text"),
    [
        ("fixture_box", BOX_TEXT),
        ("fixture_box.port", PORT_TEXT),
        ("fixture_box.with.port", PORT_TEXT),
        ("fixture_box.port[0]", PORT_TEXT),
    ],
)
def test_a_type_is_told_with_its_properties(desk, capsys, what, text):
    desk.keep()
    assert explain(desk.options(what=what)) == 0
    assert capsys.readouterr().out == text


def test_a_provider_is_told_with_its_own_configuration(desk, capsys):
    desk.keep()
    assert explain(desk.options(what="fixture")) == 0
    assert capsys.readouterr().out.startswith("PROVIDER  fixture\n\nPROPERTIES under `with`\n  name ")


@pytest.mark.parametrize(
    ("what", "code", "help_line"),
    [
        ("fixture_bx", "E3041", "did you mean `fixture_box`?"),
        ("nothing_at_all", "E3041", "declare its provider under `providers` of the stack"),
        ("servise", "E3041", "did you mean `service`?"),
        ("fixture_box.prot", "E3042", "did you mean `fixture_box.port`?"),
        ("fixture_box.port.zzz", "E3042", "it has: number, bound"),
        ("fixture_box.name.x", "E3042", "it is text, and has no parts"),
    ],
)
def test_what_is_not_there_gets_a_suggestion(desk, what, code, help_line):
    desk.keep()
    with pytest.raises(Refusal) as refusal:
        explain(desk.options(what=what))
    assert codes(refusal) == [code]
    assert refusal.value.problems[0].help[0] == help_line


@pytest.mark.parametrize(
    "what", ["file", "directory", "service", "service.health", "fixture_box", "fixture_box.rule"]
)
def test_the_example_of_a_type_is_right(desk, capsys, what):
    desk.keep()
    explain(desk.options(what=what))
    example = capsys.readouterr().out.partition("EXAMPLE\n")[2]
    if "." not in what:
        desk.file.write_text(HEAD + "\n".join(line[2:] for line in example.splitlines()))
        assert document.check(desk.options()) == 0
    else:
        assert example.startswith(f"  {what.partition('.')[2]}:")


def test_types_are_told_to_programs(desk, capsys):
    desk.keep()
    explain(desk.options(as_json=True))
    answer = json.loads(capsys.readouterr().out)
    assert SCHEMAS.violation(schema_of("explain"), answer) is None
    listed = answer["types"]
    assert listed[-1] == {"type": "fixture_box", "provider": "fixture", "description": ""}
    explain(desk.options(as_json=True, what="fixture_box.port"))
    told = json.loads(capsys.readouterr().out)
    assert SCHEMAS.violation(schema_of("explain"), told) is None
    assert SCHEMAS.violation(schema_of("explain"), {**told, "more": 1}) is not None
    assert (told["type"], told["provider"], told["path"]) == ("fixture_box", "fixture", ["port"])
    assert [each["name"] for each in told["properties"]] == ["number", "bound"]
    assert told["example"] == {"port": [{"number": 1}]}


def test_without_a_stack_the_types_are_ours(desk, capsys):
    desk.file.unlink()
    assert explain(desk.options()) == 0
    assert "fixture" not in capsys.readouterr().out


def test_what_a_provider_writes_does_not_move_the_cursor(desk, capsys):
    evil = Attribute("a\x1b[2J", STRING, optional=True, description="b\x1b]0;c\x07", deprecated="d\x1b[31m")
    digest = sha256(desk.program("exit 1").read_bytes()).hexdigest()
    block = Block({evil.name: evil}, description="e\x1bf\nnext")
    shelf = shelf_of(places_of(desk.folder, os.environ))
    shelf.keep(digest, Kept(Schema(0, Block()), {"fixture_box": Schema(0, block)}))
    explain(desk.options())
    explain(desk.options(what="fixture_box"))
    told = capsys.readouterr().out
    assert "\x1b" not in told
    assert "\x07" not in told
    assert r"a\x1b[2J" in told


def fixture_of(desk, mode=""):
    """Make the program our own provider, which counts how often it is started."""
    (desk.folder / "world").mkdir(exist_ok=True)
    path = f"PYTHONPATH={ROOT / 'src'}:{ROOT / 'tests'} FIXTURE_WORLD={desk.folder / 'world'}"
    words = f"FIXTURE_MODE='{mode}' exec {sys.executable} {Path(__file__).parent / 'fixture.py'}"
    return desk.program(f"echo >> {desk.folder / 'count'}\n{path} {words}")


@pytest.mark.slow
def test_a_provider_is_asked_once_and_then_its_answer_is_kept(desk):
    fixture_of(desk)
    first = desk.offered(strict=True)["fixture"]
    again = desk.offered(strict=True)["fixture"]
    assert list(first.types) == ["fixture_thing"]
    assert first.types["fixture_thing"] == again.types["fixture_thing"]
    assert first.setup == again.setup
    assert (desk.folder / "count").read_text() == "\n"


REASONS = {
    "odd type": 'its answer makes no sense: `["heap"]` is no type',
    "ends at once": "it ended with exit code",
    "says rubbish": "is not how a provider begins",
    "listens elsewhere": "it cannot be connected to",
}


@pytest.mark.slow
@pytest.mark.parametrize("mode", REASONS)
def test_a_provider_that_does_not_say_what_it_has_is_told_with_its_reason(desk, mode):
    fixture_of(desk, mode)
    problem = desk.offered(strict=True)["fixture"]
    assert problem.code == "E3040"
    assert REASONS[mode] in problem.message
    assert not shelf_of(places_of(desk.folder, os.environ)).folder.exists()


@pytest.mark.slow
def test_what_a_provider_opens_and_calls_is_told_and_checked_like_its_types(desk, capsys):
    fixture_of(desk)
    opens, calls = "{open: fixture_login, with: {usr: a}}", "{call: 'fixture::join', with: {partz: [a]}}"
    desk.file.write_text(f"{HEAD}resources:\n  login: {opens}\n  one: {calls}\n")
    with pytest.raises(Refusal) as refusal:
        document.check(desk.options())
    assert [(each.code, each.label) for each in refusal.value.problems] == [
        ("E1203", "did you mean `user`?"),
        ("E1202", "`between` is missing here"),
        ("E1203", "did you mean `parts`?"),
    ]
    assert explain(desk.options(what="call.fixture::join", as_json=True)) == 0
    told = json.loads(capsys.readouterr().out)
    assert {each["name"]: each["said"] for each in told["properties"]} == {
        "between": ["required"],
        "parts": ["optional"],
        "result": ["computed"],
    }
    assert told["example"] == {
        "resources": {"example": {"call": "fixture::join", "with": {"between": "..."}}}
    }
    assert explain(desk.options()) == 0
    listed = capsys.readouterr().out
    assert all(name in listed for name in ("open.fixture_login", "call.fixture::join", "fixture_thing"))
    assert explain(desk.options(what="open.fixture_login.user")) == 0
    assert "PART  open.fixture_login.user" in capsys.readouterr().out


@pytest.mark.slow
def test_a_provider_that_never_answers_is_given_up(desk, monkeypatch):
    monkeypatch.setattr(limits, "PROVIDER_SCHEMA_SECONDS", 0.01)
    with pytest.raises(Unlearned, match="did not answer within"):
        asyncio.run(learned(str(fixture_of(desk, "hang in GetProviderSchema")), {"PATH": os.environ["PATH"]}))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["null", "lxd", "vsphere"])
def test_examples_of_real_types_are_right(name, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("DIRIGENT_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv(f"DIRIGENT_PROVIDER_{name.upper()}", str(program_of(name)))
    file = tmp_path / "stack.yaml"
    head = f"stack: demo\nproviders:\n  '{name}': {{source: acme/{name}}}\n"
    file.write_text(head)
    options = Options({"directory": str(tmp_path)})
    declared = declared_providers(head, str(file))
    offer = offers_of(declared, tmp_path, strict=True)[name]
    entries = {f"r{number}": example_of(kind, offer.types[kind]) for number, kind in enumerate(offer.types)}
    file.write_text(head + f"resources: {json.dumps(entries)}\n")
    assert document.check(options) == 0, capsys.readouterr()


def example_of(kind, shape):
    return {"type": kind, "with": shape.inside.example()}
