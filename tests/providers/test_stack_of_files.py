"""A stack file of files and directories, read, planned, applied and taken down, with the real parts."""

from __future__ import annotations

import asyncio
import json

import pytest

from dirigent.lang.stack import StackContext, read_stack, stack_schema
from dirigent.model.ids import Position, RunId, effect_id
from dirigent.model.problem import Refusal
from dirigent.model.resource import assemble
from dirigent.model.run.effect import Broken, Order
from dirigent.model.values import SecretText
from dirigent.planning.compile import compile_plan
from dirigent.planning.destroy import plan_destroy
from dirigent.planning.plan import Situation, plan
from dirigent.providers.apply import ResourcePerformer
from dirigent.providers.files import FilesProvider
from dirigent.providers.files.shape import TYPES
from dirigent.service.asking import carry, read_all
from planning.plain_language import PlainLanguage, oracle
from planning.world import fill

TEXT = """\
stack: shop
inputs:
  greeting: {type: string, default: hallo}
secrets:
  pay: {env: PAY}
resources:
  build:
    type: directory
    with: {path: build}
  page:
    type: file
    each: [de, en]
    with:
      path: ${ $resources.build.path + "/" + $each.key + ".txt" }
      content: ${ $inputs.greeting + " " + $each.value }
  key:
    type: file
    with: {path: key, content: "${ $secrets.pay }", mode: "0400"}
  index:
    type: file
    with:
      path: index
      content: ${ $resources.page["de"].sha256 }
"""


class Open:
    def reveal(self, value):
        return "s3cret" if isinstance(value, SecretText) else value

    def redact(self, value):
        return value


class Noon:
    def now(self):
        return 0.0

    async def sleep_until(self, at):
        raise AssertionError


class Desk:
    async def answer(self, questions):
        return oracle(questions)


class NoSchemas:
    def violation(self, schema, value):
        return None


class House:
    """One stack folder with its rows."""

    def __init__(self, folder):
        self.folder = folder
        self.rows = {}
        self.runs = 0
        provider = FilesProvider(str(folder), Open())
        self.providers = dict.fromkeys(provider.types, provider)

    async def plan(self, text, **inputs):
        context = StackContext(TYPES, PlainLanguage(), NoSchemas(), lambda path: None, lambda *node: None)
        stack, problems = read_stack(text, "stack.yaml", str(self.folder), context)
        assert problems == []
        rows = tuple(self.rows.values())
        readings, problems = await read_all(self.providers, rows, {})
        assert problems == ()
        situation = Situation(stack, PlainLanguage(), {"greeting": "hallo", **inputs}, rows, readings)
        return await carry(plan(situation), self.providers, Desk())

    async def down(self):
        rows = tuple(self.rows.values())
        readings, _ = await read_all(self.providers, rows, {})
        await self.apply(plan_destroy("shop", rows, readings, 0.0))

    async def apply(self, made):
        async def row_of(address):
            return self.rows.get(address)

        self.runs += 1
        performer = ResourcePerformer(self.providers, row_of, Noon())
        graph = compile_plan(made).root.node
        outputs = dict(graph.initial)
        for task in graph.tasks:
            variables = {**graph.constants, **task.constants, graph.binds: assemble(outputs)}
            position, run = Position(task.pointer), RunId(f"r{self.runs}")
            request = fill(task.node.request, variables)
            outcome = await performer.perform(
                Order(run, position, 1, effect_id(run, position), "resource", request)
            )
            assert not isinstance(outcome, Broken), outcome
            outputs[task.name] = outcome.output
            for record in outcome.records:
                self.rows.pop(record.address, None)
                if record.row is not None:
                    self.rows[record.address] = record.row


@pytest.fixture
def house(tmp_path):
    return House(tmp_path)


def contents(house):
    return {
        str(path.relative_to(house.folder)): path.read_text()
        for path in sorted(house.folder.rglob("*"))
        if path.is_file()
    }


def test_up_again_changed_and_down(house):
    async def story():
        await house.apply(await house.plan(TEXT))
        first = contents(house)
        assert first["build/de.txt"] == "hallo de"
        assert first["key"] == "s3cret"
        assert first["index"] == house.rows['page["de"]'].attributes["sha256"]
        again = await house.plan(TEXT)
        assert again.pending == ()

        changed = await house.plan(TEXT, greeting="servus")
        assert {str(change.address): change.action.value for change in changed.pending} == {
            'page["de"]': "update",
            'page["en"]': "update",
            "index": "update",
        }
        await house.apply(changed)
        assert contents(house)["build/de.txt"] == "servus de"
        assert (await house.plan(TEXT, greeting="servus")).pending == ()

        (house.folder / "build/en.txt").unlink()
        (house.folder / "index").write_text("vandal")
        drifted = await house.plan(TEXT.replace("[de, en]", "[de, en, fr]"), greeting="servus")
        assert {str(change.address): (change.action.value, change.drifted) for change in drifted.pending} == {
            'page["en"]': ("create", True),
            'page["fr"]': ("create", False),
            "index": ("update", True),
        }
        await house.apply(drifted)
        assert sorted(contents(house)) == ["build/de.txt", "build/en.txt", "build/fr.txt", "index", "key"]

        moved = await house.plan(TEXT.replace("path: index", "path: deep/index"), greeting="servus")
        actions = {str(change.address): change.action.value for change in moved.pending}
        assert actions == {'page["fr"]': "delete", "index": "replace"}
        await house.apply(moved)
        assert "deep/index" in contents(house)
        assert "index" not in contents(house)

        await house.down()
        assert house.rows == {}
        assert list(house.folder.iterdir()) == []

    asyncio.run(story())


def test_no_secret_is_in_a_plan_or_a_row(house):
    async def story():
        made = await house.plan(TEXT)
        await house.apply(made)
        for thing in (made, compile_plan(made), house.rows):
            assert "s3cret" not in repr(thing)

    asyncio.run(story())


def test_the_shapes_refuse_in_place_what_a_file_cannot_be(house):
    context = StackContext(TYPES, PlainLanguage(), NoSchemas(), lambda path: None, lambda *node: None)
    text = TEXT.replace('mode: "0400"', "mode: 0400").replace("with: {path: build}", "with: {paht: build}")
    stack, problems = read_stack(text, "stack.yaml", str(house.folder), context)
    assert stack is None
    assert {(problem.code, problem.at.line) for problem in problems} >= {("E1203", 9), ("E1125", 18)}


def test_editors_know_the_types():
    schema = json.dumps(stack_schema(TYPES))
    assert "the whole text of the file" in schema
    assert "another path means another file" in schema


def test_two_files_with_one_path_are_refused_by_the_plan(house):
    text = """\
stack: shop
resources:
  one: {type: file, with: {path: page, content: one}}
  two: {type: file, with: {path: ./page, content: two}}
"""
    with pytest.raises(Refusal) as refusal:
        asyncio.run(house.plan(text))
    assert [problem.code for problem in refusal.value.problems] == ["E2011"]
    assert refusal.value.problems[0].at.line == 4
