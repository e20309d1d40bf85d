"""How the core comes to values, what it refuses to store, and which facts it refuses to fold."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.programs import program_of
from core.simulation import RUN, TOOLS, Simulation
from dirigent.core.decide import decide
from dirigent.core.render import Asking, RenderFailed, expand, render
from dirigent.core.replay import advance, expects, replay
from dirigent.core.storable import bounded, unstorable
from dirigent.jq import LANGUAGE
from dirigent.model import fault, limits
from dirigent.model.ids import Digest
from dirigent.model.problem import Refusal
from dirigent.model.program import Call, Fork, Graph, Program, Sequence, Set, Task, Wait
from dirigent.model.run.command import Perform
from dirigent.model.run.effect import Broken, Done
from dirigent.model.run.journal import (
    Abandoned,
    CancelRequested,
    Created,
    Failed,
    Intended,
    Resumed,
    Succeeded,
    Suspended,
    TimerFired,
    TimerSet,
)
from dirigent.model.values import Expression, SecretRef, SecretText, Unknown, UriTemplate
from dirigent.ports import ExpressionFailed
from dirigent.stores import codec

SECRET = SecretText(("Bearer ", SecretRef("token")))


# -- templates --------------------------------------------------------------------------------------


def test_a_template_is_rendered_in_depth_and_nothing_else_of_it_is_touched():
    template = {
        "a": [Expression(".n"), {"b": Expression("$v")}, "${ text }", SECRET, None],
        "u": UriTemplate("/{n}"),
    }
    found = render(template, {"n": 7}, {"v": [1]}, LANGUAGE)
    assert found == {"a": [7, {"b": [1]}, "${ text }", SECRET, None], "u": "/7"}


def test_a_deep_template_costs_no_stack():
    template = Expression(".")
    for _ in range(5000):
        template = [template]
    found = render(template, 3, {}, LANGUAGE)
    for _ in range(5000):
        (found,) = found
    assert found == 3


def test_answers_of_the_worker_fill_the_expressions_that_are_its_own_in_order():
    template = [Expression(". #slow"), Expression(".a"), {"b": Expression(".b #slow")}]
    asking = render(template, {"a": 1, "b": 2}, {"seen": 1}, TOOLS.language)
    assert isinstance(asking, Asking)
    assert [question.expression.text for question in asking.questions] == [". #slow", ".b #slow"]
    assert render(template, {"a": 1}, {}, TOOLS.language, ("one", "two")) == ["one", 1, {"b": "two"}]


def test_what_cannot_be_rendered_names_its_leaf():
    for text in (".a.b.c", "| nonsense ("):
        with pytest.raises(RenderFailed) as failure:
            render([Expression(text)], {"a": [1]}, {}, LANGUAGE)
        assert failure.value.leaf == Expression(text)
    answer = fault.Fault(fault.EXPRESSION, 400, "", "the worker died")
    with pytest.raises(RenderFailed, match="worker died"):
        render(Expression(". #slow"), None, {}, TOOLS.language, (answer,))


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("/{a}/{b}", "/x%2Fy/1.5"),
        ("{t}{f}{none}{gone}", "truefalse"),
        ("plain", "plain"),
        ("", ""),
        ("{a}}", "x%2Fy}"),
    ],
)
def test_a_uri_template_takes_scalars_of_the_input(text, found):
    assert expand(text, {"a": "x/y", "b": 1.5, "t": True, "f": False, "none": None}) == found


@pytest.mark.parametrize(
    ("text", "why"),
    [("{a", "closing"), ("{list}", "not a text"), ("{secret}", "secret"), ("{later}", "not known yet")],
)
def test_a_uri_template_refuses_what_is_no_scalar(text, why):
    with pytest.raises(ExpressionFailed, match=why):
        expand(text, {"list": [], "secret": SECRET, "later": Unknown(("db",))})


# -- what can be stored -----------------------------------------------------------------------------------

scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**80), 2**80),
    st.floats(allow_nan=False),
    st.text(),
    st.just(SECRET),
)
values = st.recursive(
    scalars, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=30
)


@pytest.mark.slow
@settings(derandomize=True, deadline=None)
@given(values)
def test_the_measure_is_never_less_than_what_is_written(value):
    content = codec.encode_fact(Succeeded(0.0, "/a", 1, value))
    small = max(1, len(content) - limits.PAYLOAD_INLINE_BYTES)
    assert unstorable(value) is None
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(limits, "PAYLOAD_BYTES", small)
        assert len(content) <= small + limits.PAYLOAD_INLINE_BYTES


def nested(depth):
    value = "leaf"
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ("x" * (limits.PAYLOAD_BYTES + 1), "larger"),
        (["é" * 1000] * 3000, "larger"),
        ({"k" * 1000 + str(n): 1 for n in range(5000)}, "larger"),
        ([SecretText(("x" * 1000, SecretRef("s")))] * 5000, "larger"),
        ([Unknown(("x" * 1000,))] * 5000, "larger"),
        ([1 << 100_000] * 50, "larger"),
        (nested(limits.VALUE_DEPTH + 1), "deeper"),
        ({"\udcff": 1}, "no character"),
    ],
)
def test_what_no_journal_could_hold_is_named(value, why):
    assert why in unstorable(value)


def test_what_the_measure_lets_pass_is_taken_by_the_store():
    for value in (nested(limits.VALUE_DEPTH - 1), "x" * (limits.PAYLOAD_BYTES - 100), [1 << 1000] * 1000):
        assert unstorable(value) is None
        assert (
            len(codec.encode_fact(Succeeded(0.0, "/a", 1, value)))
            < limits.PAYLOAD_BYTES + limits.PAYLOAD_INLINE_BYTES
        )


def test_the_texts_of_a_fault_are_cut_to_what_can_be_stored_and_read():
    fitting = fault.Fault(fault.RUNTIME, 500, "title", "detail")
    assert bounded(fitting) is fitting
    cut = bounded(fault.Fault("https://e.example/\ud800", 500, "t" * 5_000_000, "d"))
    assert unstorable(cut.as_value()) is None
    assert (cut.status, len(cut.title), cut.detail) == (500, 65_536, "d")


# -- facts that cannot follow -------------------------------------------------------------------------------

CALL = Task("call", "/do/0/call", Call("shell", {"command": "ls"}), timeout_seconds=50)
NAP = Task("nap", "/do/1/nap", Wait(5))
TWO = Program("two", "tests", "1.0.0", Task("two", "", Sequence((CALL, NAP))))
BEGUN = [Created(0.0, Digest("d"), None), Intended(0.0, CALL.pointer, 1, {"command": "ls"})]


@pytest.mark.parametrize(
    ("facts", "why"),
    [
        ([BEGUN[1]], "nothing waits for `Intended`"),
        ([BEGUN[0], BEGUN[0]], "the run is running, so `Created`"),
        ([*BEGUN, BEGUN[1]], "is under way, so `Intended`"),
        (
            [*BEGUN, Succeeded(0.0, CALL.pointer, 2, None)],
            "nothing waits for `Succeeded` at `/do/0/call`, attempt 2",
        ),
        ([*BEGUN, Abandoned(0.0, CALL.pointer, 1)], "is still wanted, so `Abandoned`"),
        ([*BEGUN, TimerFired(0.0, CALL.pointer, 1, "timeout")], "is asked, so `TimerFired`"),
        ([*BEGUN, TimerSet(0.0, NAP.pointer, 1, "wait", 5.0)], "nothing waits for `TimerSet`"),
        ([*BEGUN, Resumed(0.0)], "the run is running, so `Resumed`"),
    ],
)
def test_a_journal_that_this_program_cannot_have_written_is_refused(facts, why):
    with pytest.raises(Refusal, match="E4001") as refusal:
        replay(TWO, RUN, facts, TOOLS)
    assert why in str(refusal.value)


def test_what_is_refused_is_not_expected_and_what_is_expected_is_not_refused():
    run = replay(TWO, RUN, BEGUN, TOOLS)
    assert expects(run, Succeeded(0.0, CALL.pointer, 1, None))
    assert expects(run, Suspended(0.0))
    assert not expects(run, Succeeded(0.0, CALL.pointer, 2, None))
    assert not expects(run, Resumed(0.0))
    advance(run, CancelRequested(0.0))
    assert not expects(run, TimerFired(0.0, CALL.pointer, 1, "timeout"))
    assert expects(run, Succeeded(0.0, CALL.pointer, 1, None))


def test_a_suspended_run_wants_only_what_is_under_way():
    run = replay(TWO, RUN, [*BEGUN, Suspended(1.0)], TOOLS)
    assert [type(command) for command in decide(run, 1.0)] == [Perform]
    advance(run, Succeeded(2.0, CALL.pointer, 1, None))
    assert decide(run, 2.0) == ()
    advance(run, Resumed(3.0))
    assert [type(command).__name__ for command in decide(run, 3.0)] == ["SetTimer"]


# -- graphs, which no document can write -------------------------------------------------------------------


def graph(tasks, needs, **more):
    node = Graph(tuple(tasks), needs, "made", **more)
    return Program("graph", "tests", "1.0.0", Task("graph", "", node), kind="apply")


def task(name, node=None, **more):
    return Task(name, f"/graph/{name}", node or Call("shell", {"command": name}), **more)


def test_a_graph_binds_what_is_done_and_gives_it_all():
    seen = Set(
        {"sum": Expression("$made.a.n + $made.kept.n + $seven + $mine"), "web": Expression("$made.web")}
    )
    tasks = [
        task("b", seen, constants={"mine": 1000}),
        task("a", Set({"n": 1})),
        task("web[1]", Set({"n": 2})),
    ]
    program = graph(tasks, {"b": ("a", "web[1]")}, initial={"kept": {"n": 100}}, constants={"seven": 7})
    simulation = Simulation(program, None)
    output = simulation.play()[-1].output
    assert output["b"] == {"sum": 1108, "web": [None, {"n": 2}]}
    assert sorted(output) == ["a", "b", "kept", "web"]


def most_under_way(facts, lane):
    """How many of a lane had begun and not ended, at most."""
    most, under_way = 0, set()
    for fact in facts:
        if isinstance(fact, Intended) and fact.position.startswith(lane):
            under_way.add(fact.position)
        elif isinstance(fact, Succeeded | Failed):
            under_way.discard(fact.position)
        most = max(most, len(under_way))
    return most


def test_no_more_of_a_lane_begin_than_it_is_wide_and_the_others_go_past():
    slow = [task(f"slow{at}") for at in range(5)]
    others = [task(f"other{at}") for at in range(3)]
    needs = {"other2": ("slow4",)}
    lanes = {each.name: "slow" for each in slow}
    program = graph([*slow, *others], needs, lanes=lanes, widths={"slow": 2})
    facts = Simulation(program, lambda _: (Done(1), 1.0)).play()
    begun = [fact.position for fact in facts if isinstance(fact, Intended)]
    assert most_under_way(facts, "/graph/slow") == 2
    assert begun == [f"/graph/{name}" for name in names("slow0 slow1 other0 other1 slow2 slow3 slow4 other2")]
    wide = Simulation(graph([*slow, *others], needs), lambda _: (Done(1), 1.0)).play()
    assert most_under_way(wide, "/graph/slow") == 5


def test_a_lane_is_as_narrow_on_the_way_back_and_what_failed_leaves_its_place():
    def outcome(command):
        broken = command.position.endswith(("slow3", "undo1"))
        return (Broken(fault.Fault(fault.RUNTIME, 500, "Broken")) if broken else Done(1)), 1.0

    tasks = [task(f"slow{at}") for at in range(5)]
    needs = {"slow3": ("slow0", "slow1", "slow2"), "slow4": ("slow3",)}
    undo = {each.name: task(each.name.replace("slow", "undo")) for each in tasks if each.name != "slow2"}
    lanes = {each.name: "slow" for each in tasks}
    program = graph(tasks, needs, undo=undo, lanes=lanes, widths={"slow": 1})
    facts = Simulation(program, outcome).play()
    begun = [fact.position for fact in facts if isinstance(fact, Intended)]
    assert begun == [f"/graph/{name}" for name in names("slow0 slow1 slow2 slow3 undo3 undo0 undo1")]
    assert most_under_way(facts, "/graph") == 1
    assert "not taken back" in facts[-1].fault.detail


def names(text):
    return text.split()


def test_a_failed_task_keeps_its_dependents_from_starting_and_nobody_else():
    broken = fault.Fault(fault.RUNTIME, 500, "Broken")

    def outcome(command):
        return (Broken(broken) if command.position.endswith(("bad", "worse")) else Done(1)), 1.0

    tasks = [task(name) for name in ("worse", "after", "bad", "alone", "later")]
    program = graph(tasks, {"after": ("bad",), "later": ("alone",)}, width=2)
    simulation = Simulation(program, outcome)
    facts = simulation.play()
    begun = [fact.position for fact in facts if isinstance(fact, Intended)]
    assert begun == ["/graph/worse", "/graph/bad", "/graph/alone", "/graph/later"]
    assert (facts[-1].phase, facts[-1].fault.instance) == ("faulted", "/graph/worse")


def test_an_inner_graph_sees_what_the_outer_one_has_made():
    inner = Graph((Task("c", "/graph/b/graph/c", Set({"n": Expression("$outer.a.n + 1")})),), {}, "inner")
    node = Graph((task("a", Set({"n": 1})), task("b", inner)), {"b": ("a",)}, "outer")
    program = Program("graph", "tests", "1.0.0", Task("graph", "", node))
    assert Simulation(program, None).play()[-1].output == {"a": {"n": 1}, "b": {"c": {"n": 2}}}


def test_an_empty_graph_gives_what_was_there():
    assert Simulation(graph([], {}, initial={"kept": 1}), None).play()[-1].output == {"kept": 1}


def test_what_ends_in_the_same_moment_as_the_run_changes_nothing_any_more():
    first = Task("a", "/fork/branches/0/a", Set({"n": 1}), then="end")
    second = Task("b", "/fork/branches/1/b", Set({"n": 2}))
    program = Program("race", "tests", "1.0.0", Task("race", "", Fork((first, second), compete=True)))
    simulation = Simulation(program, None)
    assert simulation.play()[-1].output == {"n": 1}
    assert [type(fact).__name__ for fact in simulation.facts] == ["Created", "Ended"]


# -- views --------------------------------------------------------------------------------------------


def test_secrets_are_seen_as_names_only():
    task = Task(
        "show",
        "/do/0/show",
        Set({"token": Expression("$secrets.token"), "same": Expression("$secret.token")}),
    )
    program = Program("p", "tests", "1.0.0", Task("p", "", Sequence((task,))), secrets=("token",))
    output = Simulation(program, None).play()[-1].output
    assert output == {"token": SecretText((SecretRef("token"),)), "same": SecretText((SecretRef("token"),))}


def test_the_generator_makes_the_same_program_of_the_same_seed():
    assert program_of(7) == program_of(7)
    assert program_of(7) != program_of(8)
