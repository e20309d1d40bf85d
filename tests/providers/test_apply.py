"""The performer of `resource`, and asking providers: with a provider that does as it is told."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from dirigent.model.fault import CONFIGURATION, EXPRESSION, RUNTIME, Fault
from dirigent.model.ids import Address, EffectId, Position, RunId
from dirigent.model.problem import Refusal, refuse
from dirigent.model.program import OnDoubt
from dirigent.model.resource import ResourceRow, value_of
from dirigent.model.run.command import Question
from dirigent.model.run.effect import Broken, Done, Order
from dirigent.model.values import Expression
from dirigent.planning.request import Ask, Propose, Wish
from dirigent.ports.resources import Proposal, ProviderDoubt, ProviderFailed, Reading
from dirigent.providers.apply import ResourcePerformer, request_of
from dirigent.service.asking import carry, read_all


class Noon:
    def now(self):
        return 43_200.0

    async def sleep_until(self, at):
        raise AssertionError("nobody waits here")


class Told:
    """A provider that answers what it was told, and keeps what it was asked."""

    types = frozenset({"box"})

    def __init__(self, answer=None):
        self.answer = answer or ({"id": "new"}, {"seen": 1})
        self.asked = []
        self.busy = self.most = 0

    async def read(self, row):
        self.busy += 1
        self.most = max(self.most, self.busy)
        await asyncio.sleep(0)
        self.busy -= 1
        return self.say(row.address)

    async def propose(self, type_name, prior, config):
        return self.say(type_name)

    async def apply(self, operation):
        return self.say(operation)

    async def abandon(self, operation):
        self.asked.append(operation)

    def say(self, asked):
        self.asked.append(asked)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


ROW = ResourceRow(
    address=Address("web"),
    name="web",
    type="box",
    config={"size": 1},
    attributes={"id": "old"},
    needs=("db",),
    private={"seen": 0},
    protect=True,
)


def order(action, **more):
    request = {"action": action, "address": "web", "name": "web", "key": None, "type": "box"}
    if action in {"create", "update"}:
        request |= {"config": {"size": 2}, "needs": ["db"], "protect": False}
    return Order(RunId("r"), Position("/p"), 1, EffectId("e"), "resource", {**request, **more}, OnDoubt.HOLD)


def perform(provider, told, row=None):
    async def row_of(address):
        assert address == told.request["address"]
        return row

    return asyncio.run(ResourcePerformer({"box": provider}, row_of, Noon()).perform(told))


def rows(outcome):
    assert all(record.at == 43_200.0 for record in outcome.records)
    return {record.address: record.row for record in outcome.records}


def test_a_creation_gives_the_attributes_and_the_row():
    outcome = perform(Told(), order("create", key="eu"))
    assert outcome.output == {"id": "new"}
    assert rows(outcome) == {
        "web": ResourceRow(
            address=Address("web"),
            name="web",
            type="box",
            config={"size": 2},
            attributes={"id": "new"},
            key="eu",
            needs=("db",),
            private={"seen": 1},
        )
    }


def test_a_provider_gets_the_row_as_stored_and_the_order():
    provider = Told()
    perform(provider, replace(order("update"), doubtful=True), ROW)
    (operation,) = provider.asked
    assert (operation.action, operation.address, operation.type) == ("update", "web", "box")
    assert (operation.prior, operation.config) == (ROW, {"size": 2})
    assert operation.order.doubtful


def test_a_creation_before_the_deletion_moves_the_old_row_away_in_the_same_commit():
    outcome = perform(Told(), order("create", deposes="web#deposed"), ROW)
    found = rows(outcome)
    assert list(found) == ["web#deposed", "web"]
    assert found["web#deposed"] == replace(ROW, address=Address("web#deposed"), protect=False)
    assert found["web"].attributes == {"id": "new"}


def test_a_deletion_ends_the_row_and_of_nothing_there_is_nothing_to_delete():
    provider = Told(({}, None))
    assert perform(provider, order("delete"), ROW) == Done(None, perform(provider, order("forget")).records)
    assert provider.asked[0].config == {"size": 1}
    assert perform(Told(), order("delete"), None) == Done(None)


def test_an_adoption_writes_the_row_as_it_is_and_asks_no_provider():
    provider = Told()
    adopted = replace(ROW, tainted=True, provider="boxes", key="eu")
    outcome = perform(provider, order("adopt", row=value_of(adopted)), None)
    assert (provider.asked, outcome.output, rows(outcome)) == ([], {"id": "old"}, {"web": adopted})
    # Given again after a crash it says the same: the row may be there by now.
    assert perform(provider, order("adopt", row=value_of(adopted)), adopted) == outcome


def test_a_record_changes_only_what_is_ours():
    provider = Told()
    outcome = perform(provider, order("record", needs=["net"], protect=False), ROW)
    assert rows(outcome) == {"web": replace(ROW, needs=("net",), protect=False)}
    assert outcome.output == {"id": "old"}
    assert provider.asked == []


@pytest.mark.parametrize("action", ["update", "record"])
def test_what_has_vanished_cannot_be_changed(action):
    outcome = perform(Told(), order(action, needs=[]), None)
    assert isinstance(outcome, Broken)
    assert outcome.fault.detail.startswith("E3003")


def test_a_failure_that_leaves_nothing_changes_nothing():
    outcome = perform(Told(ProviderFailed("the port is taken")), order("create"))
    assert outcome == Broken(Fault(RUNTIME, 500, "`web` could not be created", "the port is taken"))


def test_a_creation_that_failed_half_way_is_tainted():
    failure = ProviderFailed("not healthy", {"id": "half"}, {"pid": 1})
    outcome = perform(Told(failure), order("create", deposes="web#deposed"), ROW)
    found = rows(outcome)
    assert (found["web"].tainted, found["web"].attributes, found["web"].private) == (
        True,
        {"id": "half"},
        {"pid": 1},
    )
    assert found["web#deposed"].attributes == {"id": "old"}


@pytest.mark.parametrize("action", ["update", "delete"])
def test_a_change_that_failed_half_way_keeps_the_configuration_that_was_applied(action):
    outcome = perform(Told(ProviderFailed("no", {"id": "half"})), order(action), ROW)
    assert rows(outcome) == {"web": replace(ROW, attributes={"id": "half"})}


def test_a_refusal_and_an_unknown_type_are_faults_of_the_configuration():
    outcome = perform(Told(refuse("E6001", "`pay` is not set")), order("create"))
    assert outcome.fault.type == CONFIGURATION
    assert "E6001" in outcome.fault.detail
    outcome = perform(Told(), order("create", type="jar"))
    assert (outcome.fault.type, outcome.fault.detail[:5]) == (CONFIGURATION, "E3001")


def test_abandoning_reaches_the_provider_unless_there_is_nothing_to_stop():
    async def row_of(address):
        return ROW

    provider = Told()
    performer = ResourcePerformer({"box": provider}, row_of, Noon())
    for told in (order("update"), order("record"), order("create", type="jar")):
        asyncio.run(performer.abandon(told))
    assert [operation.action for operation in provider.asked] == ["update"]


@pytest.mark.parametrize("request_value", [None, "x", ["create"]])
def test_a_request_that_no_plan_wrote_is_a_bug(request_value):
    with pytest.raises(TypeError):
        request_of(request_value)


def test_reading_all_is_bounded_and_collects_what_cannot_be_read():
    many = [replace(ROW, address=Address(f"web[{index}]")) for index in range(50)]
    provider = Told(Reading({"id": "x"}))
    readings, problems = asyncio.run(read_all({"box": provider}, many, {}, at_once=4))
    assert (len(readings), problems, provider.most) == (50, (), 4)
    broken = {"box": Told(ProviderFailed("no route"))}
    readings, problems = asyncio.run(read_all(broken, [ROW, replace(ROW, type="jar")], {}))
    assert readings == {}
    assert [problem.code for problem in problems] == ["E3002", "E3001"]
    assert "no route" in problems[0].message


class Answering:
    async def answer(self, questions):
        return tuple(Fault(EXPRESSION, 400, detail=question.expression.text) for question in questions)


def test_a_generator_of_planning_is_carried_to_its_end():
    def asking():
        first = yield Ask((Question(Expression("x"), None, {}),))
        second = yield Propose(
            (Wish("web", "box", None, {}), Wish("db", "jar", None, {}), Wish("web", "box", ROW, {}))
        )
        return first, second

    (fault,), (one, unknown, two) = asyncio.run(
        carry(asking(), {"box": Told(Proposal({"id": 1}))}, Answering())
    )
    assert fault.detail == "x"
    assert one == two == Proposal({"id": 1})
    assert isinstance(unknown, Refusal)
    assert unknown.problems[0].code == "E3001"


@pytest.mark.parametrize(
    ("answer", "code"), [(refuse("E3102", "mode"), "E3102"), (ProviderFailed("dead"), "E3004")]
)
def test_a_provider_that_refuses_is_an_answer(answer, code):
    def asking():
        return (yield Propose((Wish("web", "box", None, {}),)))

    (refusal,) = asyncio.run(carry(asking(), {"box": Told(answer)}, Answering()))
    assert refusal.problems[0].code == code


def test_a_generator_that_asks_nothing_just_ends():
    def asking():
        return 7
        yield

    assert asyncio.run(carry(asking(), {}, Answering())) == 7


def test_to_forget_is_given_to_the_provider_which_clears_its_own_traces():
    provider = Told()
    outcome = perform(provider, order("forget"), ROW)
    assert [operation.action for operation in provider.asked] == ["forget"]
    assert outcome.records[0].row is None


def test_what_no_provider_manages_any_more_is_forgotten_all_the_same():
    async def row_of(_):
        return ROW

    outcome = asyncio.run(ResourcePerformer({}, row_of, Noon()).perform(order("forget")))
    assert rows(outcome) == {"web": None}


class Seeing(Told):
    """A provider that also looks up."""

    async def look_up(self, type_name, config, *, later):
        self.asked.append((type_name, config, later))
        if isinstance(self.answer, Exception):
            raise self.answer
        return Proposal({"found": "v1"}, binding={"version": 1})


def test_what_is_looked_up_is_kept_as_such():
    order = Order(
        *(RunId("up-1"), Position("/do/a"), 1, EffectId("e"), "resource"),
        {"action": "read", "address": "a", "name": "a", "type": "box", "config": {"of": "x"}, "needs": ["b"]},
    )

    async def nothing(_address):
        return None

    def done(provider):
        return asyncio.run(ResourcePerformer({"box": provider}, nothing, Noon()).perform(order))

    provider = Seeing()
    outcome = done(provider)
    assert (outcome.output, provider.asked) == ({"found": "v1"}, [("box", {"of": "x"}, False)])
    [changed] = outcome.records
    assert (changed.row.reads, changed.row.private, changed.row.needs) == (True, {"version": 1}, ("b",))
    for failing, kind in [
        (Seeing(refuse("E3013", "no such image")), CONFIGURATION),
        (Seeing(ProviderFailed("away")), RUNTIME),
        (Told(), CONFIGURATION),
    ]:
        assert done(failing).fault.type == kind


class Stopping(Told):
    """A provider that says what stands when it is stopped."""

    async def finish(self, operation):
        return self.say(operation)


@pytest.mark.parametrize(
    ("action", "answer", "kept"),
    [
        ("delete", (None, None), [None]),
        ("delete", ProviderFailed("it stands still"), []),
        ("delete", ProviderDoubt("nobody knows"), []),
        ("update", ({"id": "now"}, 2), [({"id": "now"}, False)]),
        ("update", (None, None), []),
        ("create", ({"id": "now"}, 2), [({"id": "now"}, False)]),
        ("create", ProviderFailed("half-way", {"id": "half"}), [({"id": "half"}, True)]),
        ("create", ProviderDoubt("nobody knows"), []),
    ],
)
def test_what_is_stopped_leaves_just_what_stands(action, answer, kept):
    order = Order(
        *(RunId("up-1"), Position("/do/a"), 1, EffectId("e"), "resource"),
        {"action": action, "address": "a", "name": "a", "type": "box", "config": {}},
    )

    async def stored(_address):
        return None if action == "create" else ROW

    performer = ResourcePerformer({"box": Stopping(answer)}, stored, Noon())
    left = asyncio.run(performer.leave(order))
    assert [each.row and (each.row.attributes, each.row.tainted) for each in left] == kept
