"""Functions and schemas that lie elsewhere: read when a run starts, put in place, and never read again."""

import asyncio
from base64 import b64encode

import pytest

from conformance.stage import RUN, Cast, life, probe, program_of
from dirigent.lang.workflow.calls.endpoints import raw
from dirigent.model import fault, limits
from dirigent.model.fault import Fault
from dirigent.model.problem import Refusal
from dirigent.model.run.effect import Broken, Done
from dirigent.model.run.start import Start
from dirigent.model.values import SecretRef, SecretText
from dirigent.testing import MemoryStore, Rule, ScriptedPerformer, VirtualClock

CALL = "do: [{a: {call: 'https://functions.example/f.yaml', with: {n: 1}}}]\n"
SET = "set: {n: '${ .n + 1 }'}\n"


def answered(text):
    return Done(b64encode(text.encode()).decode())


def in_turn(*answers):
    """A rule that gives one answer after the other; the last one serves all later askers."""
    left = list(answers)
    return Rule(answers=(lambda _: left.pop(0) if len(left) > 1 else left[0],))


def refused(document, *rules):
    """The codes with which a run is refused, and all that is said."""

    async def story():
        clock = VirtualClock()
        cast = Cast({"http": ScriptedPerformer(*rules, clock=clock)}, clock)
        async with life(MemoryStore(), cast) as engine:
            try:
                await engine.start(Start(RUN, program_of(document), {}))
            except Refusal as refusal:
                return refusal.problems
            finally:
                await engine.close()
        return []

    problems = asyncio.run(story())
    return [problem.code for problem in problems], "\n".join(map(str, problems))


@pytest.mark.parametrize(
    ("page", "file"),
    [
        (
            "https://github.com/serverlessworkflow/catalog/tree/main/functions/log/1.0.0/function.yaml",
            "https://raw.githubusercontent.com/serverlessworkflow/catalog/refs/heads/main/functions/log/1.0.0/function.yaml",
        ),
        (
            "https://github.com/o/r/blob/dev/f.yaml",
            "https://raw.githubusercontent.com/o/r/refs/heads/dev/f.yaml",
        ),
        (
            f"https://github.com/o/r/tree/{'a1' * 20}/f.yaml",
            f"https://raw.githubusercontent.com/o/r/{'a1' * 20}/f.yaml",
        ),
        (
            "https://github.com/o/r/functions/f.yaml",
            "https://raw.githubusercontent.com/o/r/HEAD/functions/f.yaml",
        ),
        (
            "https://github.com/myorg/functions/validateEmailAddress@v1.0.0",
            "https://raw.githubusercontent.com/myorg/functions/refs/tags/v1.0.0/validateEmailAddress/function.yaml",
        ),
        ("https://gitlab.com/g/s/p/-/tree/main/f.yaml", "https://gitlab.com/g/s/p/-/raw/main/f.yaml"),
        ("https://code.example/g/p/-/blob/main/f.yaml", "https://code.example/g/p/-/raw/main/f.yaml"),
        ("https://functions.example/tree/main/f.yaml", "https://functions.example/tree/main/f.yaml"),
    ],
)
def test_a_page_of_a_hosted_repository_is_read_as_its_file(page, file):
    assert raw(page) == file


def test_a_function_is_asked_for_as_bytes_with_the_credentials_of_its_catalog():
    document = """
    use:
      secrets: [shop]
      catalogs: {mine: {endpoint: {uri: 'https://catalog.example/', authentication: {bearer: {use: shop}}}}}
    do: [{a: {call: 'f:1.0.0@mine', with: {n: 1}}}]
    """
    seen = []

    def answer(order):
        seen.append(order)
        return answered(SET)

    run = probe(document, {}, Rule(answers=(answer,)))
    assert run.output == {"n": 2}
    (order,) = seen
    assert order.hosts == ("catalog.example",)
    assert order.request["method"] == "GET"
    assert order.request["endpoint"] == "https://catalog.example/functions/f/1.0.0/function.yaml"
    assert order.request["authentication"]["token"] == SecretText((SecretRef("shop.token"),))
    assert order.request["output"] == "raw"
    assert run.program.sources[order.request["endpoint"]] == SET
    assert run.program.elsewhere == ()


def test_a_function_that_is_called_twice_is_read_once():
    document = "do: [{a: {call: 'https://e.example/f', with: {n: 1}}}, {b: {call: 'https://e.example/f'}}]\n"
    reads = []

    def answer(order):
        reads.append(order)
        return answered(SET)

    assert probe(document, {}, Rule(answers=(answer,))).output == {"n": 3}
    assert len(reads) == 1


def test_a_function_may_reach_the_hosts_that_it_names():
    function = "call: http\nwith: {method: get, endpoint: 'https://other.example/x'}\n"
    run = probe(CALL, {}, in_turn(answered(function), Done({"x": 1})))
    assert run.output == {"x": 1}
    assert set(run.program.hosts) == {"functions.example", "other.example"}


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (Broken(Fault(fault.COMMUNICATION, 404, "404 Not Found", "answered 404 Not Found")), "404 Not Found"),
        (Done({"not": "bytes"}), "no content"),
        (Done("not base64!"), "not one of bytes"),
        (Done(b64encode(b"\xff\xfe").decode()), "not UTF-8"),
        (Done(b64encode(b" " * limits.DOCUMENT_BYTES + b"a").decode()), "bytes"),
    ],
)
def test_a_run_does_not_start_without_what_it_is_made_of(answer, words):
    codes, text = refused(CALL, in_turn(answer))
    assert codes == ["E2045"]
    assert words in text
    assert "https://functions.example/f.yaml" in text


@pytest.mark.parametrize("uri", ["file:///etc/passwd", "file://../stage.py", "file://missing.yaml"])
def test_a_file_is_read_below_the_folder_of_the_stack_only(uri):
    assert refused(f"do: [{{a: {{call: '{uri}'}}}}]\n")[0] == ["E2045"]


def test_the_default_catalog_has_no_way_out():
    assert refused("do: [{a: {call: 'x:..@default'}}]\n")[0] == ["E2045"]
    assert refused("do: [{a: {call: '..:..@default'}}]\n")[0] == ["E2045"]


@pytest.mark.parametrize(
    ("function", "codes"),
    [
        ("[1, 2]", ["E1945"]),
        ("just text", ["E1945"]),
        ("set: {n: '${ .n + }'}", ["E1301"]),
        ("set: {n: '${ $secrets.token }'}", ["E1303"]),
        ("set: {n: '${ $item }'}", ["E1302"]),
        ("sett: {n: 1}", ["E1203"]),
        ("call: helper", ["E1306"]),
        ("set: {a: 1", ["E1115"]),
        ("input: {schema: {document: {type: strin}}}\nset: {n: 1}", ["E1941"]),
    ],
)
def test_a_function_that_is_wrong_is_refused_with_its_own_places(function, codes):
    found, text = refused(CALL, in_turn(answered(function)))
    assert found == codes
    assert "https://functions.example/f.yaml" in text


def test_a_schema_that_is_none_is_refused():
    document = "input: {schema: {resource: {endpoint: 'https://schemas.example/in.json'}}}\ndo: []\n"
    assert refused(document, in_turn(answered("{type: strin}")))[0] == ["E1945"]
    assert refused(document, in_turn(answered("- list")))[0] == ["E1945"]


def test_a_function_that_calls_itself_from_elsewhere_is_refused():
    codes, text = refused(CALL, in_turn(answered("call: https://functions.example/f.yaml\n")))
    assert codes == ["E1311"]
    assert "calls itself" in text


def test_functions_that_go_on_for_ever_are_refused():
    count = iter(range(100))
    answer = Rule(answers=(lambda _: answered(f"call: https://functions.example/{next(count)}.yaml\n"),))
    assert refused(CALL, answer)[0] == ["E2046"]


def test_a_function_that_needs_too_many_others_is_refused():
    others = "".join(f"  - t{n}: {{call: 'https://functions.example/{n}.yaml'}}\n" for n in range(70))
    assert refused(CALL, in_turn(answered(f"do:\n{others}"), answered(SET)))[0] == ["E2046"]


def test_a_run_is_pinned_to_what_it_began_with():
    """The server changes its mind; the same start is still the same run, and a crash reads nothing again."""

    served = []

    def answer(order):
        served.append(order)
        return answered(f"do: [{{w: {{wait: PT1H}}}}, {{x: {{set: {{version: {len(served)}}}}}}}]")

    def cast(clock):
        return Cast({"http": ScriptedPerformer(Rule(answers=(answer,)), clock=clock)}, clock)

    start = Start(RUN, program_of(CALL), {})

    async def first(store):
        clock = VirtualClock()
        with clock.hold():
            async with life(store, cast(clock)) as engine:
                await engine.start(start)
                await engine.start(start)
        # A crash: what the engine was about to do ends where it is.
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()

    async def second(store):
        async with life(store, cast(VirtualClock())) as engine:
            await engine.start(start)
            end = await asyncio.wait_for(engine.wait(RUN), 60)
            await engine.close()
        return end

    store = MemoryStore()
    asyncio.run(first(store))
    end = asyncio.run(second(store))
    assert end.output == {"version": 1}
    assert len(served) == 1


def test_a_child_whose_parts_are_not_to_be_had_is_a_fault_of_its_parent():
    parent = "do: [{a: {run: {workflow: {namespace: tests, name: child, version: 1.0.0}}}}]\n"
    child = program_of(CALL, "child")
    gone = Broken(Fault(fault.COMMUNICATION, 503, "503 Service Unavailable", "answered 503"))
    run = probe(parent, {}, Rule(answers=(gone,)), programs=(child,))
    assert run.phase == "faulted"
    assert run.error["type"] == fault.CONFIGURATION
    assert "E2045" in run.error["detail"]
    assert run.error["instance"] == "/do/0/a"


def test_an_engine_that_can_read_nothing_says_so():
    async def story():
        clock = VirtualClock()
        cast = Cast({"http": ScriptedPerformer(clock=clock)}, clock)
        async with life(MemoryStore(), cast) as engine:
            engine.linker = None
            with pytest.raises(Refusal) as caught:
                await engine.start(Start(RUN, program_of(CALL), {}))
            await engine.close()
        return [problem.code for problem in caught.value.problems]

    assert asyncio.run(story()) == ["E2045"]
