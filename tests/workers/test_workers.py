"""Steps are done by worker processes: what comes of them, and what one step cannot do to another."""

import asyncio
import json
from dataclasses import replace

import pytest

from dirigent.model.program import OnDoubt
from dirigent.model.run.journal import CancelRequested, Held
from dirigent.model.run.start import Start
from dirigent.workers.hub import Hub
from dirigent.workers.worker import Worker
from workers.rig import call, engine_at, noted, program, until, worker_at, working

pytestmark = pytest.mark.slow


def live(folder, test, *workers, **more):
    async def body():
        async with asyncio.timeout(300), engine_at(folder, **more) as (engine, joined):
            if not workers:
                return await test(engine)
            async with working(workers[0]):
                await joined.wait()
                return await test(engine)

    return asyncio.run(body())


def ended(folder, *calls, concurrency=2):
    async def test(engine):
        run = await engine.start(Start("r1", program(*calls), None))
        return await engine.wait(run)

    return live(folder, test, worker_at(folder, concurrency))


@pytest.mark.parametrize(
    ("asked", "output"),
    [
        (call("nothing", {"a": [1, None, "ü"]}), {"a": [1, None, "ü"]}),
        (call("nothing", value=7), 7),
        (call("doubled", 21), 42),
        (call("tripled", number=14), 42),
        (call("chatty"), "said"),
        (call("large", 3_000_000), "x" * 3_000_000),
    ],
)
def test_a_worker_does_a_step_and_its_result_is_the_output(tmp_path, asked, output):
    assert ended(tmp_path, asked).output == output


@pytest.mark.parametrize(
    ("asked", "title", "words"),
    [
        (call("fail", "no"), "ValueError", "no ("),
        (call("leave"), "SystemExit", "3"),
        (call("strange"), "Result Not Storable", "is no JSON"),
        (call("missing"), "No Such Step", "shopsteps"),
        (call("doubled", "many"), "NotStorable", "doubled"),
        (call("nothing", 1, 2, 3), "TypeError", "arguments"),
    ],
)
def test_what_goes_wrong_in_a_step_is_its_fault_with_the_reason(tmp_path, asked, title, words):
    fault = ended(tmp_path, asked).fault
    assert fault.title == title
    assert words in fault.detail


def test_steps_of_a_worker_are_really_parallel(tmp_path):
    async def test(engine):
        doors = [str(tmp_path / name) for name in "ab"]
        made = [program(call("meets", *pair)) for pair in (doors, doors[::-1])]
        runs = [await engine.start(Start(f"r{n}", each, None)) for n, each in enumerate(made)]
        return [(await engine.wait(run)).output for run in runs]

    first, second = live(tmp_path, test, worker_at(tmp_path, 2))
    assert first != second


def test_a_step_that_kills_its_process_harms_no_other_and_is_held(tmp_path):
    async def test(engine):
        others = [
            await engine.start(Start(f"o{n}", program(*[call("nothing", n)] * 20), None)) for n in range(8)
        ]
        deadly = await engine.start(Start("deadly", program(call("die")), None))
        allowed = await engine.start(Start("allowed", program(call("die", on_doubt=OnDoubt.REPEAT)), None))
        ends = [await engine.wait(run) for run in others]
        fault = (await engine.wait(allowed)).fault
        while True:
            facts = await engine.journal.read(deadly)
            if isinstance(facts[-1], Held):
                return ends, fault, facts[-1]
            await asyncio.sleep(0.01)

    ends, fault, held = live(tmp_path, test, worker_at(tmp_path, 2))
    assert [end.output for end in ends] == list(range(8))
    assert "signal 9" in fault.detail
    assert "signal 9" in held.reason


def test_a_cancelled_run_ends_the_process_of_its_step(tmp_path):
    ledger = tmp_path / "ledger"

    async def test(engine):
        run = await engine.start(Start("r1", program(call("noted", str(ledger), "long", 60.0)), None))
        await until(noted(ledger))
        await engine.tell(run, CancelRequested(0.0))
        ended = await engine.wait(run)
        other = await engine.start(Start("r2", program(call("nothing", 1)), None))
        return ended, await engine.wait(other)

    ended, other = live(tmp_path, test, worker_at(tmp_path, 1))
    assert ended.phase == "cancelled"
    assert other.output == 1
    assert ledger.read_text() == "begin long\n"


def test_a_worker_takes_the_steps_of_its_queues_only(tmp_path):
    async def test(engine):
        run = await engine.start(Start("r1", program(call("nothing", 1)), None))
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.5):
                await engine.wait(run)
        async with working(worker_at(tmp_path, 1, "w2", ("mail", "gpu"))):
            return await engine.wait(run)

    assert live(tmp_path, test, worker_at(tmp_path, 1, "w1", ("mail",))).output == 1


def test_a_worker_that_lost_its_engine_hands_its_results_to_the_next(tmp_path):
    ledger = tmp_path / "ledger"
    gate = tmp_path / "gate"
    made = program(call("gated", str(ledger), "once", str(gate)))

    async def body():
        worker = worker_at(tmp_path, 1)
        async with asyncio.timeout(300), working(worker):
            async with engine_at(tmp_path) as (engine, joined):
                await joined.wait()
                await engine.start(Start("r1", made, None))
                await until(noted(ledger))
            gate.touch()
            async with engine_at(tmp_path) as (engine, _):
                return await engine.wait("r1")

    assert asyncio.run(body()).output == "once"
    assert ledger.read_text() == "begin once\nend once\n"


@pytest.mark.parametrize(
    ("policy", "lines"), [(OnDoubt.HOLD, ["begin it"]), (OnDoubt.REPEAT, ["begin it", "begin it", "end it"])]
)
def test_a_worker_that_dies_leaves_its_step_to_the_policy_of_the_author(tmp_path, policy, lines):
    ledger = tmp_path / "ledger"
    gate = tmp_path / "gate"
    made = program(call("gated", str(ledger), "it", str(gate), on_doubt=policy))

    async def test(engine):
        task = asyncio.ensure_future(worker_at(tmp_path, 1).work())
        run = await engine.start(Start("r1", made, None))
        await until(noted(ledger))
        task.cancel()
        await asyncio.wait([task])
        gate.touch()
        if policy is OnDoubt.REPEAT:
            async with working(worker_at(tmp_path, 1, "w2")):
                return (await engine.wait(run)).output
        while True:
            facts = await engine.journal.read(run)
            if isinstance(facts[-1], Held):
                return facts[-1].evidence["step"]
            await asyncio.sleep(0.01)

    found = live(tmp_path, test, return_seconds=0.2)
    assert found == ("it" if policy is OnDoubt.REPEAT else "shopsteps:gated")
    assert ledger.read_text().splitlines() == lines
    assert json.dumps(found)


# -- planted faults -----------------------------------------------------------------------------------


class Rash(Hub):
    """A planted fault: whatever is in doubt is done again."""

    async def perform(self, order):
        return await super().perform(replace(order, on_doubt=OnDoubt.REPEAT))


class Forgetful(Worker):
    """A planted fault: results are given to nobody but the engine that asked."""

    async def _serve(self, bench, reader, writer):
        await super()._serve(bench, reader, writer)
        self._held.clear()
        self._over = lambda result: None
        bench.tell = lambda result: None


def test_a_hub_that_repeats_unasked_is_caught_by_the_ledger(tmp_path):
    ledger = tmp_path / "ledger"
    gate = tmp_path / "gate"
    made = program(call("gated", str(ledger), "it", str(gate)))

    async def test(engine):
        task = asyncio.ensure_future(worker_at(tmp_path, 1).work())
        run = await engine.start(Start("r1", made, None))
        await until(noted(ledger))
        task.cancel()
        await asyncio.wait([task])
        gate.touch()
        async with working(worker_at(tmp_path, 1, "w2")):
            return await engine.wait(run)

    live(tmp_path, test, return_seconds=0.2, kind=Rash)
    assert ledger.read_text().splitlines().count("begin it") == 2


def test_a_worker_that_forgets_its_results_is_caught_by_a_run_that_is_held(tmp_path):
    ledger = tmp_path / "ledger"
    gate = tmp_path / "gate"
    made = program(call("gated", str(ledger), "once", str(gate)))

    async def body():
        worker = worker_at(tmp_path, 1, kind=Forgetful)
        async with asyncio.timeout(300), working(worker):
            async with engine_at(tmp_path) as (engine, joined):
                await joined.wait()
                await engine.start(Start("r1", made, None))
                await until(noted(ledger))
            gate.touch()
            await until(lambda: "end once" in ledger.read_text())
            async with engine_at(tmp_path, return_seconds=0.2) as (engine, _):
                while True:
                    facts = await engine.journal.read("r1")
                    if isinstance(facts[-1], Held):
                        return facts[-1]
                    await asyncio.sleep(0.01)

    assert "did not come back" in asyncio.run(body()).reason
