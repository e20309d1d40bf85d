import asyncio
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dirigent.model import limits
from dirigent.model.problem import Refusal
from dirigent.model.values import SecretRef, SecretText, Unknown
from dirigent.ports.resources import Proposal
from dirigent.providers.services.configuration import read, secrets_of, shown
from dirigent.providers.services.definition import Definition, Health, Restart, decode, encode

SECRET = SecretText((SecretRef("token"),))
FULL = {
    "runtime": "process",
    "replicas": 3,
    "command": ["serve", "--port", "{port}", 7, True],
    "environment": {"URL": SecretText(("db://", SecretRef("token"))), "N": 4},
    "directory": "app",
    "port": 8080,
    "health": {
        "http": "/health",
        "interval": "PT5S",
        "timeout": 1.5,
        "healthy": 2,
        "unhealthy": 4,
        "within": {"minutes": 2},
    },
    "restart": {"delay": 1, "most": "PT1M", "reset": 20, "max": 5},
    "stop": {"grace": "PT20S"},
}


def reveal(value):
    return "".join(p if isinstance(p, str) else "hunter2" for p in value.parts)


def findings(config):
    _, found = read(config, "/stack", {}, reveal)
    return found.mistakes + found.secrets


def test_every_property_is_read():
    definition, found = read(FULL, "/stack", {"PATH": "/bin"}, reveal)
    assert (found.mistakes, found.secrets) == ([], [])
    assert definition == Definition(
        command=("serve", "--port", "{port}", "7", "true"),
        folder="/stack/app",
        environment={"URL": "db://hunter2", "N": "4"},
        surroundings={"PATH": "/bin"},
        replicas=3,
        port=8080,
        health=Health("http", "/health", (), 5.0, 1.5, 2, 4, 120.0),
        restart=Restart(1.0, 60.0, 20.0, 5),
        grace_seconds=20.0,
    )


def test_a_command_is_all_that_must_be_given():
    definition, found = read({"command": ["serve"]}, "/stack", {}, reveal)
    assert found.mistakes == []
    assert definition == Definition(command=("serve",), folder="/stack")
    assert definition.health.within_seconds == limits.SERVICE_READY_SECONDS


@pytest.mark.parametrize(
    ("change", "mistake"),
    [
        ({"command": None}, "`command` must be a list of a program and its arguments, and is missing"),
        ({"command": []}, "`command` must be a list of a program and its arguments, and is empty"),
        ({"command": "serve"}, "`command` must be a list of a program and its arguments, and is `serve`"),
        ({"command": [["x"]]}, "`command[0]` must be text, and is a list"),
        ({"command": ["x\0"]}, "`command[0]` must be text"),
        ({"command": ["x", SECRET]}, "`command[1]` holds (secret token)"),
        ({"health": {"command": [SECRET]}}, "`health.command[0]` holds (secret token)"),
        ({"directory": SECRET}, "`directory` holds (secret token)"),
        ({"runtime": "docker"}, "`runtime` must be `process`, and is `docker`"),
        ({"replicas": -1}, "`replicas` must be a whole number from 0 to 64, and is `-1`"),
        ({"replicas": 65}, "`replicas` must be a whole number"),
        ({"replicas": True}, "`replicas` must be a whole number"),
        ({"replicas": "2"}, "`replicas` must be a whole number"),
        ({"port": 0}, "`port` must be a whole number from 1 to 65535, and is `0`"),
        ({"port": "any"}, "`port` must be a whole number"),
        ({"environment": ["A=b"]}, "`environment` must be a map of names to text, and is a list"),
        ({"environment": {"A=B": ""}}, "`A=B` is not a name for an environment variable"),
        ({"environment": {"A": {}}}, "`environment.A` must be text, and is a map"),
        ({"health": {"http": "health"}}, "`health.http` must be a path such as `/health`, and is `health`"),
        ({"health": {"http": "/a\r\nX: y"}}, "`health.http` must be a path"),
        ({"health": {"http": "/", "tcp": True}}, "`health` must hold one of `http`, `tcp`"),
        ({"health": {"tcp": "yes"}}, "`health.tcp` must be true or false, and is `yes`"),
        ({"health": {"command": "x"}}, "`health.command` must be a list"),
        ({"health": {"https": "/"}}, "`https` is not a property of `health`: known are `http`"),
        ({"health": {"interval": "5 s"}}, "`health.interval`: `5 s` is not an ISO 8601 duration"),
        ({"health": "tcp"}, "`health` must be a map, and is `tcp`"),
        ({"restart": {"max": -1}}, "`restart.max` must be a whole number from 0"),
        ({"restart": {"delay": -1}}, "`restart.delay`: `-1` is not a length of time"),
        ({"stop": {"signal": "INT"}}, "`signal` is not a property of `stop`: known are `grace`"),
        ({"replica": 2}, "`replica` is not a property of the service"),
    ],
)
def test_every_mistake_is_named(change, mistake):
    assert any(each.startswith(mistake) for each in findings({"command": ["serve"], **change}))


def test_all_mistakes_are_found_at_once():
    assert len(findings({"replicas": -1, "port": 0, "stop": {"grace": "x"}, "extra": 1})) == 5


@pytest.mark.parametrize("name", [name for name in FULL if name != "runtime"])
def test_what_is_not_known_yet_is_no_mistake(name):
    assert findings({**FULL, name: Unknown(("db",))}) == []


@pytest.mark.parametrize("part", ["http", "interval", "healthy"])
def test_parts_that_are_not_known_yet_are_no_mistake(part):
    assert findings({**FULL, "health": {**FULL["health"], part: Unknown()}}) == []


def test_what_is_shown_holds_names_for_secrets():
    assert shown(FULL)["environment"] == {"URL": "db://(secret token)", "N": 4}
    assert secrets_of(FULL, reveal) == {"token": "hunter2"}
    assert secrets_of({"environment": None}, reveal) == {}


def test_the_process_is_another_when_command_folder_or_environment_change():
    one = Definition(("a", "b"), "/x", {"A": "1"})
    same = Definition(("a", "b"), "/x", {"A": "1"}, {"PATH": "/y"}, 4, 80, Health("alive"), Restart(9))
    others = [
        Definition(("a b",), "/x", {"A": "1"}),
        Definition(("a", "b"), "/y", {"A": "1"}),
        Definition(("a", "b"), "/x", {"A": "2"}),
    ]
    assert same.process_key() == one.process_key()
    assert len({each.process_key() for each in [one, *others]}) == 4


texts = st.text(st.characters(codec="utf-8"), max_size=8)
seconds = st.floats(0, 1e6)
definitions = st.builds(
    Definition,
    command=st.lists(texts, max_size=3).map(tuple),
    folder=texts,
    environment=st.dictionaries(texts, texts, max_size=3),
    surroundings=st.dictionaries(texts, texts, max_size=2),
    replicas=st.integers(1, 64),
    port=st.none() | st.integers(1, 65535),
    health=st.builds(
        Health, st.sampled_from(["http", "tcp"]), texts, st.lists(texts, max_size=2).map(tuple), seconds
    ),
    restart=st.builds(Restart, seconds, seconds, seconds, st.none() | st.integers(0, 9)),
    grace_seconds=seconds,
)


@settings(derandomize=True, deadline=None, max_examples=20)
@given(definitions)
def test_a_definition_survives_being_written_down(definition):
    assert decode(json.loads(json.dumps(encode(definition)))) == definition


@settings(derandomize=True, deadline=None, max_examples=20)
@given(st.integers(1, 10_000), seconds, seconds)
def test_delays_grow_and_stay_below_their_maximum(failures, delay, most):
    restart = Restart(delay, most)
    assert restart.delay_after(failures) <= restart.delay_after(failures + 1) <= most


@pytest.mark.parametrize(
    "broken", [{"port": "80"}, {"command": "x"}, {"health": None}, {"grace_seconds": "1"}]
)
def test_a_stored_definition_that_is_damaged_is_refused(broken):
    with pytest.raises(TypeError):
        decode({**encode(Definition(("a",), "/")), **broken})


def propose(desk, config, prior=None):
    return asyncio.run(desk.provider.propose("service", prior, config))


def test_a_chosen_port_is_unknown_until_it_was_chosen(desk):
    config = {"command": ["x"], "replicas": 2}
    unknown = {"url": Unknown(), "host": "127.0.0.1", "port": Unknown(), "replicas": 2}
    assert propose(desk, config) == Proposal(unknown)
    known = {"url": "http://127.0.0.1:8080", "host": "127.0.0.1", "port": 8080, "replicas": 2}
    assert propose(desk, {**config, "port": 8080}) == Proposal(known, claims=("port 8080 of 127.0.0.1",))
    assert propose(desk, {**config, "port": Unknown()}) == Proposal(unknown)


@pytest.mark.slow
def test_an_address_that_was_chosen_stays_in_the_plan(desk):
    async def main():
        await desk.apply(desk.config(), "create")
        proposal = await desk.provider.propose("service", desk.row, desk.config("2", replicas=Unknown()))
        assert proposal.attributes == {**desk.row.attributes, "replicas": Unknown()}
        assert proposal.replace == ()
        await desk.delete()

    asyncio.run(main())


def test_a_plan_refuses_every_mistake_with_its_code(desk):
    with pytest.raises(Refusal) as refused:
        propose(desk, {"command": [SECRET], "replicas": -1})
    assert [problem.code for problem in refused.value.problems] == ["E3401", "E3402"]
    assert all(problem.help for problem in refused.value.problems)


def test_the_provider_has_one_type(desk):
    assert desk.provider.types == {"service"}
