"""The examples that the standard publishes run to their end on mocks, or are refused for what they need.

Every example stands in exactly one of the two tables.
"""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass, field

import pytest

from conformance import kit
from conformance.stage import probe, triggering
from dirigent.model import fault
from dirigent.model.fault import Fault
from dirigent.model.run.effect import Broken, Done
from dirigent.testing import Rule

pytestmark = kit.needed

EXAMPLES = dict(kit.examples())


@dataclass(frozen=True)
class Way:
    """What an example is given and what it comes to: its end, its tasks in order, its last request.

    `events` come in turn. An example without end `stays` for so many calls, and is cancelled then.
    `has` are members of an output that has others, too. One that is `triggered` is started by its schedule.

    `answers` are those of the effects in turn; without any an effect gives back its request.
    """

    given: object = field(default_factory=dict)
    answers: tuple = ()
    phase: str = "completed"
    output: object = None
    status: int = 0
    order: tuple = ()
    asks: dict = field(default_factory=dict)
    events: tuple = ()
    stays: int = 0
    has: dict = field(default_factory=dict)
    triggered: bool = False


PET = {"id": 1, "name": "Rex"}
PETS = "https://petstore.swagger.io/v2/pet/"
FOUND = Done(PET)
MISSING = Broken(Fault(fault.COMMUNICATION, 404, "404 Not Found"))
AWAY = Broken(Fault(fault.COMMUNICATION, 503, "503 Service Unavailable"))
BEARER = {"scheme": "bearer", "token": "t", "username": None, "password": None}
ROOM = {"patient": {"fullName": "Ann"}, "room": {"number": 7}}
SEARCH = {"searchQuery": "luke"}
SWAPI = "https://swapi.dev/api/people/"
BET = "https://superbet-casinos.com/api/bet/on/football"
NOT_IMPLEMENTED = {
    "type": "https://serverlessworkflow.io/errors/not-implemented",
    "status": 500,
    "title": "Not Implemented",
    "detail": "The workflow 'raise-not-implemented:0.1.0' is a work in progress and cannot be run yet",
    "instance": "/do/0/notImplemented",
}
SWAGGER = {
    "document": {"endpoint": "https://petstore.swagger.io/v2/swagger.json", "authentication": None},
    "operation": "findPetsByStatus",
    "parameters": {"status": "available"},
}

HELLO = {"image": "hello-world"}
KEYCLOAK = {
    "authority": "http://keycloak/realms/fake-authority",
    "endpoints": {"token": "/auth/token", "introspection": "/auth/introspect"},
    "grant": "client_credentials",
    "client": {"id": "workflow-runtime-id", "secret": "workflow-runtime-secret"},
}


def called(number):
    return {"endpoint": f"{PETS}{number}", "method": "GET"}


# What the catalogue of the standard answers, base64 as raw answers are.
FUNCTION = "set: { line: '${ .message }' }"
LOGGED = Done(b64encode(FUNCTION.encode()).decode())

VITALS = "com.fake-hospital.vitals.measurements."
HOT, COOL = ({"type": f"{VITALS}temperature", "data": {"temperature": degrees}} for degrees in (39, 37))
FAST = {"type": f"{VITALS}bpm", "data": {"bpm": 120}}
GONE = {"type": "com.fake-hospital.patient.checked-out"}
ROOMS = tuple({"type": f"my.home.sensors.{kind}", "roomid": "a"} for kind in ("temperature", "humidity"))
STARTED = {"type": "com.virtual-wf-powered-race.events.race.started.v1", "data": {"race": 1}}
CHECKED = {"type": "com.fake.petclinic.pets.checkup.completed.v2", "data": {"id": 3}}
CLINIC = {"pets": [{"id": 3}], "vet": None}
PLACED = {
    "specversion": "1.0",
    "id": "eee40fc492333772706679cdde8a5443",
    "source": "https://petstore.com",
    "type": "com.petstore.order.placed.v1",
    "data": {
        "client": {"firstName": "Cruella", "lastName": "de Vil"},
        "items": [{"breed": "dalmatian", "quantity": 101}],
    },
    "time": "1970-01-12T13:46:40.000Z",
    "datacontenttype": "application/json",
}

NOW = {
    "call-asyncapi-publish": Way(
        {"pet": {"id": 7}, "token": "t"},
        (Done(None),),
        asks={
            "operation": "findPetsByStatus",
            "message": {"payload": {"petId": 7}, "headers": {}},
            "authentication": BEARER,
        },
    ),
    "call-asyncapi-subscribe-consume-amount": Way(
        answers=(Done([]),), output=[], asks={"operation": "getNotifications", "protocol": "ws"}
    ),
    "call-asyncapi-subscribe-consume-until": Way(
        answers=(Done([]),), output=[], asks={"channel": "/notifications"}
    ),
    "call-asyncapi-subscribe-consume-while": Way(
        answers=(Done([]),), output=[], asks={"operation": "getNotifications"}
    ),
    # For ever: it is cancelled after two messages.
    "call-asyncapi-subscribe-consume-forever-foreach": Way(
        answers=(Done({"message": {"payload": 1}, "cursor": None}),),
        phase="cancelled",
        output=None,
        stays=2,
        asks={"operation": "getNotifications"},
    ),
    # What its `output.as` asks of a list of data has no value.
    "accumulate-room-readings": Way(events=ROOMS, phase="faulted", status=400),
    "emit": Way(output=PLACED),
    "for": Way(CLINIC, output=CLINIC),
    "listen-to-all": Way(events=(COOL, FAST, HOT), output=[FAST["data"], HOT["data"]]),
    "listen-to-all read-envelope": Way(
        events=(HOT, FAST),
        output=[
            {"specversion": "1.0", "id": str(n), "source": "https://my.home.com/sensor", **event}
            for n, event in enumerate((HOT, FAST))
        ],
    ),
    "listen-to-any": Way(events=(GONE,), output=[None]),
    "listen-to-any-filter": Way(events=(GONE, COOL, FAST), output=[FAST["data"]]),
    "listen-to-any-forever-foreach": Way(events=(HOT,), answers=(AWAY,), phase="faulted", status=503),
    "listen-to-any-until-condition": Way(
        events=(HOT, COOL, FAST, HOT), output=[each["data"] for each in (HOT, COOL, FAST, HOT)]
    ),
    "listen-to-any-until-consumed": Way(
        events=(HOT, COOL, FAST, GONE, HOT), output=[HOT["data"], FAST["data"]]
    ),
    "listen-to-one": Way(events=(GONE, STARTED), answers=(Done("started"),), output="started"),
    "try-catch-then": Way({"petId": 1}, (MISSING,), output={"error": "$error"}),
    "authentication-bearer": Way(
        {"token": "t"}, (FOUND,), output=PET, asks={**called(1), "authentication": BEARER}
    ),
    "authentication-bearer-uri-format": Way(
        {"token": "t", "petId": 4}, (FOUND,), output=PET, asks={**called(4), "authentication": BEARER}
    ),
    "authentication-oauth2": Way(
        {"petId": 4},
        (FOUND,),
        output=PET,
        asks={**called(4), "authentication": {**KEYCLOAK, "scheme": "oauth2"}},
    ),
    "authentication-oauth2-secret": Way({"petId": 4}, (FOUND,), output=PET, asks=called(4)),
    "authentication-oidc": Way({"petId": 4}, (FOUND,), output=PET, asks=called(4)),
    "authentication-oidc-secret": Way({"petId": 4}, (FOUND,), output=PET, asks=called(4)),
    "authentication-reusable": Way(
        {"token": "t", "petId": 4}, (FOUND,), output=PET, asks={**called(4), "authentication": BEARER}
    ),
    "call-custom-function-cataloged": Way(answers=(LOGGED,), output={"line": "Hello, world!"}),
    "call-custom-function-inline": Way(answers=(FOUND,), output=PET, asks=called(69)),
    "call-grpc": Way(
        {"user": {"preferredDisplayName": "Ann"}},
        (Done({"message": "Hello Ann"}),),
        output={"message": "Hello Ann"},
        asks={
            "proto": {"endpoint": "file://app/greet.proto", "authentication": None},
            "service": {"name": "GreeterApi.Greeter", "host": "localhost", "port": 5011},
            "method": "SayHello",
            "arguments": {"name": "Ann"},
        },
    ),
    "call-http-endpoint-interpolation": Way(
        {"petId": 4},
        (FOUND,),
        output=PET,
        asks={**called(4), "headers": {"content-type": "application/json"}},
    ),
    "call-http-endpoint-interpolation-shorthand": Way({"petId": 4}, (FOUND,), output=PET, asks=called(4)),
    "call-http-query-headers-expressions": Way(
        SEARCH,
        (Done([]),),
        output=[],
        asks={"endpoint": SWAPI, "query": {"search": "luke"}, "headers": {"Accept": "application/json"}},
    ),
    "call-http-query-parameters": Way(
        SEARCH, (Done([]),), output=[], asks={"endpoint": SWAPI, "query": {"search": "luke"}}
    ),
    "call-http-redirect": Way(SEARCH, (Done([]),), output=[], asks={"endpoint": SWAPI, "redirect": True}),
    "call-mcp": Way(
        answers=(Done({"content": []}),),
        output={"content": []},
        asks={
            "method": "tools/call",
            "transport": {
                "stdio": {
                    "command": "npx",
                    "arguments": ["slack-mcp-serverr@latest", "--transport", "stdio"],
                    "environment": {"SLACK_MCP_XOXP_TOKEN": "xoxp-xv6Cv3jKqNW8esm5YnsftKwIzoQHUzAP"},
                }
            },
        },
    ),
    "call-openapi": Way(answers=(Done([PET]),), output=[PET], asks={**SWAGGER, "redirect": False}),
    "call-openapi-redirect": Way(answers=(Done([PET]),), output=[PET], asks={**SWAGGER, "redirect": True}),
    "conditional-task": Way(
        {"customer": {"age": 30}},
        (Done("placed"),),
        output="placed",
        order=("placeBet",),
        asks={"endpoint": BET},
    ),
    "do-multiple": Way(
        {"petId": 1},
        (Done({**PET, "petId": 1}), Done("bought")),
        output="bought",
        order=("getPet", "buyPet"),
        asks={"endpoint": f"{PETS}1", "method": "PUT", "body": {**PET, "petId": 1, "status": "sold"}},
    ),
    "schedule-cron": Way(
        answers=(Done("begun"),),
        output="begun",
        asks={"method": "POST", "endpoint": "https://example.com/api/v1/backup/start"},
    ),
    "do-single": Way({"petId": 1}, (FOUND,), output=PET, asks=called(1)),
    "fork": Way(ROOM, (Done("on my way"),), output="on my way"),
    "mock-service-extension": Way(
        answers=(FOUND,), output=PET, order=("callHttp",), asks={"endpoint": "https://fake.com/sample"}
    ),
    "raise-inline": Way(phase="faulted", output=NOT_IMPLEMENTED),
    "raise-reusable": Way(phase="faulted", output=NOT_IMPLEMENTED),
    "run-container": Way(answers=(Done("hi"),), output="hi", asks=HELLO),
    "run-container-cleanup-always": Way(
        answers=(Done("hi"),), output="hi", asks={**HELLO, "lifetime": {"cleanup": "always", "after": None}}
    ),
    "run-container-cleanup-eventually": Way(
        answers=(Done("hi"),),
        output="hi",
        asks={**HELLO, "lifetime": {"cleanup": "eventually", "after": {"minutes": 30}}},
    ),
    "run-container-stdin-and-arguments": Way(
        answers=(Done("hi"),),
        output="hi",
        asks={"image": "alpine", "stdin": "Hello World", "arguments": ["Foo", "Bar"]},
    ),
    "run-container-with-name": Way(
        answers=(Done("hi"),), output="hi", asks={**HELLO, "name": "hello-null-null-null"}
    ),
    "run-container-with-pull-policy": Way(
        answers=(Done("hi"),), output="hi", asks={**HELLO, "pullPolicy": "always"}
    ),
    "run-return-all": Way(answers=(Done({"code": 0}),), output={"code": 0}, asks={**HELLO, "return": "all"}),
    "run-return-code": Way(answers=(Done(0),), output=0, asks={**HELLO, "return": "code"}),
    "run-return-none": Way(answers=(Done(None),), output=None, asks={**HELLO, "return": "none"}),
    "run-return-stderr": Way(answers=(Done(""),), output="", asks={**HELLO, "return": "stderr"}),
    "run-script-with-stdin-and-arguments": Way(
        answers=(Done("text"),),
        output="text",
        asks={
            "language": "js",
            "stdin": "Hello Workflow",
            "arguments": ["hello"],
            "environment": {"foo": "bar"},
        },
    ),
    "run-shell-stdin-and-arguments": Way(
        answers=(Done("text"),), output="text", asks={"stdin": "Hello World", "arguments": ["Foo", "Bar"]}
    ),
    "run-subflow": Way(
        answers=(Done("known"),),
        output="known",
        asks={
            "namespace": "test",
            "name": "register-customer",
            "version": "0.1.0",
            "input": {"customer": ".user"},
        },
    ),
    "star-wars-homeworld": Way(
        {"id": 1},
        (Done({"content": {"homeworld": "https://swapi.dev/api/planets/1"}}), Done("Tatooine")),
        output="Tatooine",
        order=("getStarWarsCharacter", "getStarWarsHomeworld"),
        asks={"endpoint": "https://swapi.dev/api/planets/1"},
    ),
    "switch-then-string": Way(
        {"orderType": "electronic"},
        output={"validate": True, "status": "fulfilled"},
        order=("processOrder", "processElectronicOrder"),
    ),
    "try-catch": Way({"petId": 1}, (MISSING,), output={"petId": 1}, order=("tryGetPet", "getPet")),
    "try-catch-retry-inline": Way({"petId": 1}, (AWAY, AWAY, FOUND), output=PET, asks=called(1)),
    "try-catch-retry-reusable": Way({"petId": 1}, (AWAY, AWAY, FOUND), output=PET, asks=called(1)),
    "wait-duration-inline": Way({"a": 1}, output={"a": 1}, order=("wait30Seconds",)),
    "wait-duration-iso8601": Way({"a": 1}, output={"a": 1}, order=("wait30Seconds",)),
}

# Other ways through the same examples.
ALSO = (
    ("conditional-task", Way({"customer": {"age": 17}}, phase="faulted", status=400)),
    ("call-http-query-parameters", Way(phase="faulted", status=400)),
    ("star-wars-homeworld", Way({"id": 0}, phase="faulted", status=400)),
    ("switch-then-string", Way({"orderType": "physical"}, order=("processOrder", "processPhysicalOrder"),
        output={"inventory": "clear", "items": 1, "address": "Elmer St"})),
    ("switch-then-string", Way({}, order=("processOrder", "handleUnknownOrderType"),
        output={"log": "warn", "message": "something's wrong"})),
    ("try-catch", Way({"petId": 1}, (AWAY,), phase="faulted", status=503)),
    ("try-catch", Way({"petId": 1}, (FOUND,), output=PET)),
    ("try-catch-retry-inline", Way({"petId": 1}, (MISSING,), phase="faulted", status=404)),
    ("try-catch-retry-inline", Way({"petId": 1}, (AWAY,), phase="faulted", status=503, asks=called(1))),
    ("fork", Way(ROOM, (AWAY,), phase="faulted", status=503)),
    ("for", Way({**CLINIC, "vet": 1}, events=(CHECKED,), phase="faulted", status=400)),
)  # fmt: skip

# What a later issue brings, and what each of these examples needs of it.
TEMPERATURE = {"type": "com.fake-hospital.vitals.measurements.temperature", "data": {"temperature": 39}}
BEATS = {"type": "com.fake-hospital.vitals.measurements.bpm", "data": {"bpm": 120}}
COOL = {**TEMPERATURE, "data": {"temperature": 37}}
SENSOR = {"source": "https://my.home.com/sensor", "roomid": "r1"}
TRIGGER = {"type": "io.serverlessworkflow.samples.events.trigger.v1", "data": {"n": 1}}
TRIGGERED = {"specversion": "1.0", "id": "0", "source": "/tests", **TRIGGER}
PATIENT = {
    "timestamp": "2026-11-23T03:00:00Z",
    "patient": {"id": 7, "name": "Ada", "room": {"number": 12}, "vitals": {"bpm": 38}},
}
HOT, FAST = {"temperature": 39}, {"bpm": 120}
NOW |= {
    "schedule-cron": Way(answers=(Done("begun"),), output="begun"),
    "schedule-event-driven": Way(
        events=({"type": "com.example.hospital.events.patients.heartbeat.low", "data": PATIENT},),
        triggered=True,
        answers=(Done("on my way"),),
        output="on my way",
        asks={
            "body": {
                "patientId": 7,
                "patientName": "Ada",
                "roomNumber": 12,
                "vitals": {"heartRate": 38, "timestamp": PATIENT["timestamp"]},
                "message": "Alert: Patient's heartbeat is critically low. Immediate attention required.",
            }
        },
    ),
    "set": Way(events=(TRIGGER,), triggered=True, output={"startEvent": TRIGGERED}),
    "set-expression": Way(events=(TRIGGER,), triggered=True, output=TRIGGERED),
    # Its output is said of an event, but a listener gives a list of them.
    "accumulate-room-readings": Way(
        events=(
            {**SENSOR, "type": "my.home.sensors.temperature", "data": {"reading": 1}},
            {**SENSOR, "type": "my.home.sensors.humidity", "data": {"reading": 2}},
        ),
        phase="faulted",
        status=400,
    ),
    "emit": Way(has={"type": "com.petstore.order.placed.v1", "source": "https://petstore.com"}),
    # It goes on only while there is a `vet`.
    "for": Way({"pets": [{"id": 1}]}, output={"pets": [{"id": 1}]}, order=("checkup",)),
    "listen-to-all": Way(events=(COOL, BEATS, TEMPERATURE), output=[FAST, HOT]),
    "listen-to-all read-envelope": Way(
        events=(TEMPERATURE, BEATS),
        output=[
            {"specversion": "1.0", "id": "0", "source": "/tests", **TEMPERATURE},
            {"specversion": "1.0", "id": "1", "source": "/tests", **BEATS},
        ],
    ),
    "listen-to-any": Way(events=(COOL,), output=[{"temperature": 37}]),
    "listen-to-any-filter": Way(events=(COOL, BEATS), output=[FAST]),
    "listen-to-any-forever-foreach": Way(
        {"roomId": "r"},
        events=(TEMPERATURE, BEATS),
        stays=2,
        phase="cancelled",
        asks={"body": {"event": FAST}},
    ),
    "listen-to-any-until-condition": Way(
        events=(TEMPERATURE, BEATS, COOL, BEATS), output=[HOT, FAST, {"temperature": 37}, FAST]
    ),
    "listen-to-any-until-consumed": Way(
        events=(TEMPERATURE, COOL, BEATS, {"type": "com.fake-hospital.patient.checked-out"}),
        output=[HOT, FAST],
    ),
    "listen-to-one": Way(
        events=(BEATS, {"type": "com.virtual-wf-powered-race.events.race.started.v1"}),
        answers=(Done("started"),),
        output="started",
    ),
    "try-catch-then": Way(
        {"petId": 1},
        (MISSING,),
        output={"error": "$error"},
        order=("tryGetPet", "getPet", "notifySupport", "setError"),
    ),
}


def test_every_example_is_in_the_table():
    assert NOW.keys() == EXAMPLES.keys()


def in_turn(answers):
    """Return what gives one answer after the other, whoever asks; the last one serves all later askers."""
    left = list(answers)

    def answer(order):
        if not left:
            return Done(order.request)
        return left.pop(0) if len(left) > 1 else left[0]

    return answer


WAYS = [*NOW.items(), *ALSO]


@pytest.mark.parametrize(("name", "way"), WAYS, ids=[name for name, _ in WAYS])
def test_an_example_runs_to_its_end(name, way):
    script = Rule(answers=(in_turn(way.answers),))
    if way.triggered:
        run = triggering(EXAMPLES[name], script, events=way.events)
    else:
        run = probe(EXAMPLES[name], way.given, script, events=way.events, stays=way.stays)
    assert run.phase == way.phase, run.fault
    if way.has:
        assert {member: run.output[member] for member in way.has} == way.has
    elif way.phase in ("completed", "cancelled"):
        assert run.output == way.output
    elif way.status:
        assert run.fault.status == way.status
    else:
        assert run.error == way.output
    assert not way.order or tuple(run.order) == way.order
    requests = [fact.request for fact in run.facts if hasattr(fact, "request")]
    if way.asks:
        assert {member: requests[-1][member] for member in way.asks} == way.asks


def test_the_count_is_told(capsys):
    with capsys.disabled():
        print(f"\n{len(NOW)} of {len(EXAMPLES)} examples run")
