"""A server that can be asked is asked wherever a call may have happened; it happens once."""

import asyncio
import json
from urllib.parse import parse_qs, urlsplit

import pytest

from dirigent.model.program import OnDoubt
from dirigent.model.run.effect import Broken, Done, Doubt
from dirigent.tasks.http.call import HttpPerformer
from dirigent.tasks.http.message import call_of
from dirigent.tasks.http.probe import probe_for
from tasks.http.loopback import KEY, client_of, order_of, request_of, response, serving, vault_of


class Bank:
    """Keeps payments by their reference; loses an answer, or cannot be asked, when told so."""

    def __init__(self, *, silent=0, deaf=0, status=200):
        self.payments, self.silent, self.deaf, self.status = {}, silent, deaf, status
        self.posts = 0

    def __call__(self, seen):
        target = urlsplit(seen.target)
        if seen.method == "GET":
            if self.deaf:
                self.deaf -= 1
                return response(503, {"why": "too much to do"})
            reference = parse_qs(target.query)["reference"][0]
            return response(200, {"items": [self.payments[reference]] if reference in self.payments else []})
        if self.status != 200:
            return response(self.status)
        self.posts += 1
        reference = self.reference_of(seen, target)
        self.payments[reference] = {"id": self.posts, "reference": reference}
        if self.silent:
            self.silent -= 1
            return None
        return response(200, self.payments[reference])

    @staticmethod
    def reference_of(seen, target):
        return (
            seen.headers.get("x-reference")
            or parse_qs(target.query).get("ref", [None])[0]
            or json.loads(seen.body)["reference"]
        )


def declared(url, place="body", name="reference", **changes):
    probe = {"call": f"POST {url}/payments", "reference": {place: name}, "found": ".items[0]"}
    return {**probe, "ask": f"{url}/payments?reference={{reference}}", "settle": 0.0, **changes}


def paid(bank, *orders, request=None, probe=None):
    """Return the outcome of each order, and all that the bank has seen."""

    async def scenario():
        async with serving(bank) as server:
            performer = HttpPerformer(client_of(server.host), vault_of())
            given = {"body": {"sum": 3}, "has_body": True, **(request or {})}
            asked = request_of(f"{server.url}/payments", "post", **given)
            probes = (declared(server.url, **(probe or {})),)
            found = [await performer.perform(order_of(asked, probes=probes, **order)) for order in orders]
            return found, server.seen

    return asyncio.run(scenario())


PAYMENT = {"id": 1, "reference": KEY}


def test_the_call_carries_its_reference_and_nothing_is_asked_as_long_as_all_is_well():
    (outcome,), (seen,) = paid(Bank(), {})
    assert outcome == Done(PAYMENT)
    assert seen.content == {"sum": 3, "reference": KEY}


@pytest.mark.parametrize(("place", "name"), [("header", "X-Reference"), ("query", "ref")])
def test_the_reference_may_stand_elsewhere(place, name):
    bank = Bank()
    (_, outcome), _ = paid(bank, {}, {"doubtful": True}, probe={"place": place, "name": name})
    assert outcome == Done(PAYMENT)
    assert bank.posts == 1


def test_a_reference_of_the_author_is_left_as_it_is_and_asked_for():
    bank = Bank()
    mine = {"body": {"reference": "order 1/2"}}
    (first, second), _ = paid(bank, {}, {"doubtful": True}, request=mine)
    assert first == second == Done({"id": 1, "reference": "order 1/2"})
    assert bank.posts == 1


@pytest.mark.parametrize("order", [{"doubtful": True}, {"attempt": 2}])
def test_what_happened_is_found_and_not_done_again(order):
    bank = Bank()
    (_, outcome), seen = paid(bank, {}, order)
    assert outcome == Done(PAYMENT)
    assert bank.posts == 1
    assert seen[-1].target == f"/payments?reference={KEY}"


@pytest.mark.parametrize("order", [{"doubtful": True}, {"attempt": 2}])
def test_what_has_not_happened_is_done(order):
    bank = Bank()
    (outcome,), seen = paid(bank, order)
    assert outcome == Done(PAYMENT)
    assert [each.method for each in seen] == ["GET", "POST"]


def test_an_answer_that_was_lost_is_asked_for_at_once():
    bank = Bank(silent=1)
    (outcome,), _ = paid(bank, {})
    assert outcome == Done(PAYMENT)
    assert bank.posts == 1


def test_a_failure_of_which_the_server_knows_nothing_is_in_no_doubt():
    (outcome,), _ = paid(Bank(status=502), {})
    assert isinstance(outcome, Broken)
    assert not outcome.fault.doubtful


def test_a_server_that_cannot_be_asked_leaves_the_doubt():
    bank = Bank(silent=1, deaf=1)
    (outcome,), _ = paid(bank, {})
    assert outcome.fault.doubtful
    assert bank.posts == 1


@pytest.mark.parametrize("policy", OnDoubt)
def test_where_the_server_cannot_be_asked_the_policy_decides(policy):
    bank = Bank(deaf=1)
    (outcome,), _ = paid(bank, {"doubtful": True, "on_doubt": policy})
    match policy:
        case OnDoubt.HOLD:
            assert isinstance(outcome, Doubt)
            assert "too much to do" in outcome.evidence["asked"]
        case OnDoubt.SKIP:
            assert outcome == Done(None)
        case OnDoubt.REPEAT:
            assert outcome == Done(PAYMENT)


@pytest.mark.parametrize(
    ("output", "wanted"), [("content", PAYMENT), ("raw", "eyJpZCI6MSwicmVmZXJlbmNlIjoi")]
)
def test_what_was_found_has_the_form_that_is_wanted(output, wanted):
    (_, outcome), _ = paid(Bank(), {}, {"doubtful": True}, request={"output": output})
    assert outcome.output == wanted or outcome.output.startswith(wanted)


def test_a_response_that_was_found_shows_the_call_and_not_the_question():
    (_, outcome), _ = paid(Bank(), {}, {"doubtful": True}, request={"output": "response"})
    assert (outcome.output["statusCode"], outcome.output["content"]) == (200, PAYMENT)
    assert outcome.output["request"]["method"] == "POST"


def test_a_body_that_cannot_carry_a_reference_is_refused_before_anything_is_sent():
    (outcome,), seen = paid(Bank(), {}, request={"body": [1]})
    assert "puts `reference` into the body, and the body is no object" in outcome.fault.detail
    assert seen == []


def test_an_expression_that_fails_on_the_answer_leaves_the_doubt_and_says_why():
    (outcome,), _ = paid(Bank(), {"doubtful": True}, probe={"found": ".items.first"})
    assert "`found` of its probe cannot be computed" in outcome.evidence["asked"]


@pytest.mark.parametrize(
    ("url", "fits"),
    [
        ("https://bank.example/v1/accounts/7/payments", True),
        ("https://bank.example/v1/accounts/7/payments?dry=1#there", True),
        ("https://bank.example/v1/accounts/7/8/payments", False),
        ("https://bank.example/v1/accounts/7/payments/9", False),
        ("https://bank-example/v1/accounts/7/payments", False),
    ],
)
def test_a_probe_is_about_the_calls_that_its_url_describes(url, fits):
    probe = declared("https://bank.example/v1/accounts/{account}")
    assert (probe_for((probe,), call_of(request_of(url, "post"))) is not None) is fits
    assert probe_for((probe,), call_of(request_of(url, "patch"))) is None
