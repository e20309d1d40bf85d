"""What was written is what is read, whatever it looks like."""

import math
from dataclasses import dataclass

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings

from dirigent.model import limits
from dirigent.model.fault import Fault
from dirigent.model.plan import Plan
from dirigent.model.problem import Refusal
from dirigent.model.program import Program, Sequence, Set, Task, Try
from dirigent.model.resource import ResourceRow
from dirigent.model.run import journal
from dirigent.model.run.journal import Held, Resumed, Succeeded, TimerSet
from dirigent.model.values import SecretRef, SecretText
from dirigent.stores import codec, forms
from stores.samples import FACTS, FACTS_2, FACTS_CONTROL, FACTS_EVENTS, PLAN, PROGRAM, PROGRAM_2, code_of, row
from stores.strategies import FACTS as FACT_STRATEGIES
from stores.strategies import faults, plans, programs, rows, values

property_test = settings(
    derandomize=True, deadline=None, max_examples=60, suppress_health_check=list(HealthCheck)
)


def succeeded(output):
    return Succeeded(1.0, "/do/0", 1, output)


def through(fact):
    return codec.decode_fact(codec.encode_fact(fact))


def same(left, right):
    """Compare with types: 1, 1.0 and True are equal to Python, but not to a journal."""
    return left == right and repr(left) == repr(right)


def test_every_class_of_facts_has_a_number_a_strategy_and_a_sample():
    kinds = set(journal.Fact.__args__)
    assert (
        set(codec.KINDS.values())
        == kinds
        == set(FACT_STRATEGIES)
        == {type(fact) for fact in FACTS + FACTS_2 + FACTS_CONTROL + FACTS_EVENTS}
    )


@pytest.mark.slow
@pytest.mark.parametrize("kind", FACT_STRATEGIES, ids=lambda kind: kind.__name__)
def test_every_fact_comes_back_as_it_was(kind):
    @property_test
    @given(FACT_STRATEGIES[kind])
    def check(fact):
        assert same(through(fact), fact)

    check()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "strategy"), [(Program, programs), (Plan, plans), (ResourceRow, rows), (Fault, faults)]
)
def test_every_document_comes_back_as_it_was(kind, strategy):
    @property_test
    @given(strategy)
    def check(document):
        assert same(codec.decode(codec.encode(document), kind), document)

    check()


@pytest.mark.parametrize(
    "fact", FACTS + FACTS_2 + FACTS_CONTROL + FACTS_EVENTS, ids=lambda fact: type(fact).__name__
)
def test_the_samples_come_back_as_they_were(fact):
    assert same(through(fact), fact)


def test_the_sample_documents_come_back_as_they_were():
    for program in (PROGRAM, PROGRAM_2):
        assert same(codec.decode(codec.encode(program), Program), program)
    assert same(codec.decode(codec.encode(PLAN), Plan), PLAN)


@pytest.mark.slow
def test_no_data_can_pass_for_anything_else():
    # Whatever plain JSON someone sends, not one leaf of it comes back as an object of the model.
    @property_test
    @given(values)
    def check(value):
        forged = msgspec.json.decode(msgspec.json.encode(msgspec.to_builtins(value)))
        assert same(through(succeeded(forged)).output, forged)

    check()


def test_a_secret_stays_a_secret_and_its_picture_stays_data():
    secret = SecretText(("a", SecretRef("key")))
    picture = {"parts": ["a", {"name": "key"}]}
    output = through(succeeded([secret, picture])).output
    assert output == [secret, picture]
    assert isinstance(output[0], SecretText)
    assert type(output[1]) is dict


@pytest.mark.parametrize(
    "number", [2**63 - 1, 2**63, 2**64 - 1, 2**64, -(2**63), -(2**63) - 1, 10**400, -(10**400)]
)
def test_integers_of_any_size_are_kept_whole(number):
    assert through(succeeded({"n": [number]})).output == {"n": [number]}


def test_floats_that_json_does_not_know_are_kept():
    nan, minus = through(succeeded([math.nan, -math.inf])).output
    assert math.isnan(nan)
    assert minus == -math.inf


def nested(depth, core):
    for _ in range(depth):
        core = [core]
    return core


@pytest.mark.parametrize("core", [1, 2**70, SecretText(("x",))])
def test_a_value_as_deep_as_the_limit_is_kept_and_one_deeper_is_refused(core):
    deep = nested(limits.VALUE_DEPTH, core)
    assert through(succeeded(deep)) == succeeded(deep)
    for depth in (limits.VALUE_DEPTH + 1, 100_000):
        with pytest.raises(Refusal) as caught:
            codec.encode_fact(succeeded(nested(depth, core)))
        assert code_of(caught) == "E5013"


def test_a_deep_row_is_refused_too():
    with pytest.raises(Refusal) as caught:
        codec.encode(row(x=nested(5_000, 1)))
    assert code_of(caught) == "E5013"


def tower(levels):
    top = Task("t", "/t", Set(1))
    for _ in range(levels):
        top = Task("t", "/t", Try(Sequence((top,)), PROGRAM.root.node.tasks[6].node.catch))
    return Program("p", "n", "1", top)


def test_the_deepest_program_that_a_document_can_hold_is_kept_and_an_endless_one_is_refused():
    deep = tower(limits.DOCUMENT_DEPTH // 3)
    assert codec.decode(codec.encode(deep), Program) == deep
    with pytest.raises(Refusal) as caught:
        codec.encode(tower(1_000))
    assert code_of(caught) == "E5013"


@dataclass(frozen=True)
class Stranger:
    name: str = "x"


@pytest.mark.parametrize("thing", [Stranger(), {1, 2}, object(), b"bytes", 1j, "\ud800", {"a": "\udfff"}])
def test_what_is_no_value_is_refused_by_name(thing):
    with pytest.raises(Refusal) as caught:
        codec.encode_fact(succeeded([thing]))
    assert code_of(caught) == "E5014"


def pack(*body):
    return msgspec.msgpack.encode(list(body))


def tagged(name, members):
    return [msgspec.msgpack.Ext(forms.OBJECT, name.encode()), members]


@pytest.mark.parametrize(
    "content",
    [
        pack(1, 99, 1.0),
        pack(journal.JOURNAL_VERSION + 1, 3, 1.0, "/p", 1, None),
        pack(1, 3, 1.0, "/p", 1, None, "a field of tomorrow"),
        pack(1, 3, 1.0),
        pack(1, -4, 1.0, "/p", 1, tagged("Omen", {})),
        pack(1, -4, 1.0, "/p", 1, tagged("Fault", {"type": "t", "status": 1, "mood": "bad"})),
        pack(1, -4, 1.0, "/p", 1, tagged("Fault", {"status": 1})),
        pack(1, 3, 1.0, "/p", 1, msgspec.msgpack.Ext(77, b"")),
        pack(1, 3, 1.0, "/p", 1, msgspec.msgpack.Ext(forms.ENUM, pack("Backoff", "sometimes"))),
        pack(1, 3, 1.0, "/p", 1, msgspec.msgpack.Ext(forms.SPAN, pack("f", 1))),
    ],
)
def test_what_only_a_later_release_writes_is_refused_as_newer(content):
    with pytest.raises(Refusal) as caught:
        codec.decode_fact(content)
    assert code_of(caught) == "E5003"


@pytest.mark.parametrize(
    "content",
    [b"", b"\xc1", pack(), pack(1), b"\x01", pack("x", "y"), pack(1, 3)[:-1] + b"\xd9", b"\x91" * 50_000],
)
def test_bytes_that_no_release_wrote_are_refused_as_damage(content):
    for decode in (codec.decode_fact, lambda content: codec.decode(content, Program)):
        with pytest.raises(Refusal) as caught:
            decode(content)
        assert code_of(caught) == "E5008"


def test_a_document_of_another_kind_or_a_later_version_is_refused():
    with pytest.raises(Refusal) as caught:
        codec.decode(codec.encode(row()), Program)
    assert code_of(caught) == "E5008"
    with pytest.raises(Refusal) as caught:
        codec.decode(pack(journal.JOURNAL_VERSION + 1, None), Program)
    assert code_of(caught) == "E5003"


def test_a_field_that_old_bytes_do_not_have_gets_its_default():
    old_fact = pack(1, 5, 1.0, "/p", 1, "why")
    assert codec.decode_fact(old_fact) == Held(1.0, "/p", 1, "why")
    old_row = pack(
        1,
        tagged("ResourceRow", {n: n for n in ("address", "name", "type")} | {"config": {}, "attributes": {}}),
    )
    assert codec.decode(old_row, ResourceRow) == ResourceRow("address", "name", "type", {}, {})


def test_facts_are_compact():
    assert len(codec.encode_fact(TimerSet(1.0, "/p", 1, "wait", 2.0))) < 40
    assert len(codec.encode_fact(Resumed(3.0))) < 20


def test_encoding_leaves_the_fact_alone():
    output = {"list": [SecretText(("x",)), {"n": 2**70}]}
    codec.encode_fact(succeeded(output))
    assert output == {"list": [SecretText(("x",)), {"n": 2**70}]}
