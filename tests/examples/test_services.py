"""The shop's services over loopback: effects happen once, whoever repeats, races, fails or dies."""

from __future__ import annotations

import http.client
import json
import signal
from concurrent.futures import ThreadPoolExecutor

import pytest

from examples.running import running

ORDER = {"order": "o-1", "sku": "teapot", "quantity": 2}


@pytest.fixture
def inventory(tmp_path):
    with running("inventory", tmp_path) as service:
        yield service


@pytest.fixture
def payment(tmp_path):
    with running("payment", tmp_path) as service:
        yield service


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "operations"),
    [
        ("inventory", {"listStock", "quote", "listReservations", "reserve", "release"}),
        ("payment", {"listCharges", "charge", "refund"}),
        ("shipping", {"quoteDelivery", "listShipments", "ship", "cancelShipment"}),
    ],
)
def test_a_service_describes_all_that_it_does(name, operations, tmp_path):
    with running(name, tmp_path, "--release", "7") as service:
        document = service.ask("GET", "/openapi.json")[1]
        assert service.ask("GET", "/health") == (200, {"status": "ok", "service": name, "release": "7"})
    assert document["openapi"].startswith("3.1")
    described = [
        (method, operation) for path in document["paths"].values() for method, operation in path.items()
    ]
    common = {"listLedger", "listFaults", "setFault", "clearFaults"}
    assert {operation["operationId"] for _, operation in described} == operations | common
    for method, operation in described:
        headers = {p["name"] for p in operation["parameters"] if p["in"] == "header"}
        assert headers == ({"Idempotency-Key"} if method != "get" else set()), operation["operationId"]


@pytest.mark.slow
def test_the_same_key_and_body_get_the_same_answer_and_one_effect(inventory):
    first = inventory.ask("POST", "/reservations", ORDER, key="k")
    assert first == (201, {"id": "reservation-1", **ORDER, "state": "held"})
    assert inventory.ask("POST", "/reservations", ORDER, key="k") == first
    assert inventory.acts() == [("reserve", "reservation-1")]


@pytest.mark.slow
def test_the_same_key_for_another_request_is_refused(inventory):
    inventory.ask("POST", "/reservations", ORDER, key="k")
    assert inventory.ask("POST", "/reservations", {**ORDER, "quantity": 3}, key="k")[0] == 422
    assert inventory.ask("DELETE", "/reservations/reservation-1", key="k")[0] == 422
    assert inventory.acts() == [("reserve", "reservation-1")]


@pytest.mark.slow
def test_a_refusal_is_kept_under_its_key_too(inventory):
    first = inventory.ask("POST", "/reservations", {**ORDER, "quantity": 101}, key="k")
    assert first[0] == 409
    assert "101 asked for, 100 available" in first[1]["detail"]
    assert inventory.ask("POST", "/reservations", {**ORDER, "quantity": 101}, key="k") == first
    assert inventory.acts() == []


@pytest.mark.slow
def test_without_a_key_each_request_acts(inventory):
    inventory.ask("POST", "/reservations", ORDER)
    inventory.ask("POST", "/reservations", ORDER)
    assert [r["id"] for r in inventory.ask("GET", "/reservations?order=o-1")[1]] == [
        "reservation-1",
        "reservation-2",
    ]


@pytest.mark.slow
def test_a_release_puts_the_stock_back_once(inventory):
    inventory.ask("POST", "/reservations", ORDER, key="k")
    assert inventory.ask("GET", "/stock")[1][1] == {"sku": "teapot", "available": 98, "price": 2400}
    for key in ("a", "a", "b"):
        status, body = inventory.ask("DELETE", "/reservations/reservation-1", key=key)
        assert (status, body["state"]) == (200, "released")
    assert inventory.ask("GET", "/stock")[1][1]["available"] == 100
    assert inventory.ask("GET", "/reservations?order=o-1") == (200, [])
    assert inventory.acts() == [("reserve", "reservation-1"), ("release", "reservation-1")]


@pytest.mark.slow
def test_a_crowd_with_one_key_has_one_effect_and_one_answer(inventory):
    with ThreadPoolExecutor(16) as crowd:
        answers = list(crowd.map(lambda _: inventory.ask("POST", "/reservations", ORDER, key="k"), range(40)))
    assert all(answer == answers[0] for answer in answers)
    assert inventory.acts() == [("reserve", "reservation-1")]


@pytest.mark.slow
def test_a_crowd_never_takes_more_than_there_is(inventory):
    with ThreadPoolExecutor(16) as crowd:
        statuses = list(
            crowd.map(
                lambda n: inventory.ask("POST", "/reservations", {**ORDER, "quantity": 9}, key=str(n))[0],
                range(20),
            )
        )
    assert (statuses.count(201), statuses.count(409)) == (11, 9)
    assert inventory.ask("GET", "/stock")[1][1]["available"] == 1


@pytest.mark.slow
@pytest.mark.parametrize(
    ("method", "path", "body", "status", "words"),
    [
        ("GET", "/nowhere", None, 404, "GET /nowhere"),
        ("GET", "/quotes?sku=teapot", None, 400, "`quantity` is missing"),
        ("GET", "/quotes?sku=teapot&quantity=many", None, 400, "`quantity` must be"),
        ("GET", "/quotes?sku=kettle&quantity=1", None, 404, "`kettle`"),
        ("POST", "/reservations", b"{", 400, "no JSON"),
        ("POST", "/reservations", [], 400, "JSON object"),
        ("POST", "/reservations", {**ORDER, "order": ""}, 400, "`order` must be a text"),
        ("POST", "/reservations", {**ORDER, "quantity": True}, 400, "`quantity` must be"),
        ("POST", "/reservations", {**ORDER, "quantity": -1}, 400, "`quantity` must be"),
        ("POST", "/reservations", b"x" * 65_537, 413, "65537"),
        ("DELETE", "/reservations/reservation-9", None, 404, "`reservation-9`"),
        ("POST", "/faults", {"operation": "reserve", "mode": "explode"}, 400, "`explode`"),
    ],
)
def test_bad_requests_are_refused_with_a_reason(inventory, method, path, body, status, words):
    got, problem = inventory.ask(method, path, body)
    assert (got, problem["status"]) == (status, status)
    assert words in problem["detail"]


@pytest.mark.slow
def test_payment_fails_as_often_as_it_is_told_then_charges_once(payment):
    payment.ask("POST", "/faults", {"operation": "charge", "mode": "fail", "times": 2})
    order = {"order": "o-1", "amount": 500}
    assert [payment.ask("POST", "/charges", order, key="k")[0] for _ in range(4)] == [503, 503, 201, 201]
    assert payment.acts() == [("charge", "charge-1")]


@pytest.mark.slow
def test_payment_declines_for_good_under_one_key(payment):
    payment.ask("POST", "/faults", {"operation": "charge", "mode": "decline"})
    order = {"order": "o-1", "amount": 500}
    assert [payment.ask("POST", "/charges", order, key="k")[0] for _ in range(2)] == [402, 402]
    assert payment.ask("POST", "/charges", {"order": "o-2", "amount": 100_001}, key="l")[0] == 402
    assert payment.acts() == []


@pytest.mark.slow
def test_payment_can_fail_after_the_money_was_taken(payment):
    payment.ask("POST", "/faults", {"operation": "charge", "mode": "fail", "moment": "after"})
    order = {"order": "o-1", "amount": 500}
    assert [payment.ask("POST", "/charges", order, key="k")[0] for _ in range(2)] == [503, 201]
    assert payment.acts() == [("charge", "charge-1")]


@pytest.mark.slow
@pytest.mark.parametrize(("moment", "standing"), [("before", 0), ("after", 1)])
def test_payment_can_die_round_the_commit_and_charges_once_all_the_same(tmp_path, moment, standing):
    order = {"order": "o-1", "amount": 500}
    with running("payment", tmp_path) as service:
        service.ask("POST", "/faults", {"operation": "charge", "mode": "die", "moment": moment})
        with pytest.raises((http.client.HTTPException, ConnectionError)):
            service.ask("POST", "/charges", order, key="k")
        assert service.process.wait(10) == 70
    with running("payment", tmp_path) as service:
        assert len(service.ask("GET", "/charges?order=o-1")[1]) == standing
        assert service.ask("POST", "/charges", order, key="k")[0] == 201
        assert service.acts() == [("charge", "charge-1")]


@pytest.mark.slow
def test_a_refund_gives_the_money_back_once(payment):
    payment.ask("POST", "/charges", {"order": "o-1", "amount": 500}, key="k")
    assert [payment.ask("POST", "/charges/charge-1/refunds", key=key)[0] for key in "aab"] == [200] * 3
    assert payment.ask("GET", "/charges?order=o-1") == (200, [])
    assert payment.acts() == [("charge", "charge-1"), ("refund", "charge-1")]


@pytest.mark.slow
def test_shipping_quotes_for_every_country_and_refuses_some_at_the_door(tmp_path):
    with running("shipping", tmp_path) as service:
        assert service.ask("GET", "/quotes?country=AQ&quantity=2")[1]["amount"] == 980
        assert service.ask("POST", "/shipments", {**ORDER, "country": "AQ"}, key="a")[0] == 409
        assert service.ask("POST", "/shipments", {**ORDER, "country": "FR"}, key="b")[0] == 201
        assert service.ask("DELETE", "/shipments/shipment-1", key="c")[1]["state"] == "cancelled"
        assert service.acts() == [("ship", "shipment-1"), ("cancel", "shipment-1")]


@pytest.mark.slow
def test_a_configuration_sets_stock_once_and_prices_always(tmp_path):
    config = tmp_path / "inventory.json"
    for available, price in ((3, 100), (50, 120)):
        config.write_text(json.dumps({"stock": {"teapot": {"available": available, "price": price}}}))
        with running("inventory", tmp_path, "--config", str(config)) as service:
            stock = service.ask("GET", "/stock")[1]
    assert stock == [{"sku": "teapot", "available": 3, "price": 120}]


@pytest.mark.slow
def test_a_service_that_is_asked_to_stop_finishes_what_is_under_way(payment):
    payment.ask("POST", "/faults", {"operation": "charge", "mode": "slow", "seconds": 0.5})
    with ThreadPoolExecutor(1) as crowd:
        pending = crowd.submit(payment.ask, "POST", "/charges", {"order": "o-1", "amount": 5}, "k")
        while payment.ask("GET", "/faults")[1]:
            pass
        payment.process.send_signal(signal.SIGTERM)
        assert pending.result(10)[0] == 201
    assert payment.process.wait(10) == 0
