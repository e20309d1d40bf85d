"""A run is taken up by a process that never saw its document."""

import asyncio

import pytest

from dirigent.app.conducting import conducting
from dirigent.app.stacks import Surrounding
from dirigent.jq import LANGUAGE
from dirigent.lang.source import load
from dirigent.lang.workflow.document import read_workflow
from dirigent.model.ids import RunId
from dirigent.model.run.start import Start
from dirigent.settings import Settings

WORKFLOW = """
document: {dsl: 1.0.3, namespace: test, name: keyed, version: 1.0.0}
use: {secrets: [api-key]}
do:
  - wait: {wait: {milliseconds: 50}}
  - call:
      run:
        shell:
          command: 'test "$KEY" = hunter2 && echo "it is $KEY"'
          environment: {KEY: '${ $secrets["api-key"] }'}
"""


@pytest.mark.slow
def test_a_run_of_a_naked_workflow_finds_its_secret_after_a_crash(tmp_path, monkeypatch):
    around = Surrounding(Settings(tmp_path / "state"), tmp_path)
    node, _ = load(WORKFLOW, "keyed.yaml")
    program, problems = read_workflow(node, "keyed.yaml", WORKFLOW, LANGUAGE)
    assert not problems

    async def begin():
        async with conducting(around) as desk:
            return await desk.conductor.start(Start(RunId("keyed-1"), program))

    async def resume():
        async with conducting(around) as desk:
            return await desk.conductor.follow(RunId("keyed-1"), lambda *_: None)

    asyncio.run(begin())
    monkeypatch.setenv("DIRIGENT_SECRET_API_KEY", "hunter2")
    end = asyncio.run(resume())
    assert (end.phase, end.output) == ("completed", "it is (secret api-key)\n")
