"""What a request for a container becomes, and what is refused before any runtime is asked."""

import pytest

from dirigent.model.values import SecretRef, SecretText
from dirigent.tasks.container.recipe import reference_of, wanted_of
from dirigent.tasks.recipe import Unfit
from dirigent.testing.vault import FakeVault

VAULT = FakeVault({"token": "t0psecret"})


def wanted(**request):
    return wanted_of({"image": "box:1", **request}, VAULT, "/stack")


def test_a_command_is_a_text_for_the_shell_and_arguments_are_never_part_of_it():
    found = wanted(command="echo $1", arguments=["a; rm -rf /", 2])
    assert found.argv == ("sh", "-c", "echo $1", "sh", "a; rm -rf /", "2")


def test_without_a_command_the_arguments_are_those_of_the_image():
    assert wanted(arguments=["--help"]).creation({})["Cmd"] == ["--help"]
    assert "Cmd" not in wanted().creation({})


def test_a_map_of_arguments_gives_each_key_and_its_value():
    assert wanted(arguments={"--name": "x", "--flag": None}).argv == ("--name", "x", "--flag")


def test_ports_volumes_and_variables_have_their_places():
    found = wanted(
        ports={"8080": 80, "127.0.0.1:53": "53/udp"},
        volumes={"./data": "/data", "cache": "/cache:ro", "/etc/x": "/x"},
        environment={"A": 1, "B": SecretText((SecretRef("token"),))},
    ).creation({"l": "1"})
    assert found["HostConfig"]["PortBindings"] == {
        "80/tcp": [{"HostIp": "", "HostPort": "8080"}],
        "53/udp": [{"HostIp": "127.0.0.1", "HostPort": "53"}],
    }
    assert found["HostConfig"]["Binds"] == ["/stack/data:/data", "cache:/cache:ro", "/etc/x:/x"]
    assert found["Env"] == ["A=1", "B=t0psecret"]
    assert found["Labels"] == {"l": "1"}


@pytest.mark.parametrize(
    ("lifetime", "seconds"),
    [
        (None, None),
        ({"cleanup": "never"}, None),
        ({"cleanup": "always"}, 0),
        ({"cleanup": "eventually", "after": {"minutes": 30}}, 1800),
        ({"cleanup": "eventually", "after": "PT5S"}, 5),
    ],
)
def test_a_lifetime_says_how_long_an_ended_container_stays(lifetime, seconds):
    assert wanted(lifetime=lifetime).after_seconds == seconds


def test_the_runtime_removes_what_nobody_waits_for():
    lifetime = {"cleanup": "always"}
    assert wanted(lifetime=lifetime, **{"await": False}).creation({})["HostConfig"]["AutoRemove"] is True
    assert wanted(lifetime=lifetime).creation({})["HostConfig"]["AutoRemove"] is False


@pytest.mark.parametrize(
    ("image", "name", "tag"),
    [
        ("alpine", "alpine", "latest"),
        ("alpine:3.20", "alpine", "3.20"),
        ("registry.example:5000/a/b", "registry.example:5000/a/b", "latest"),
        ("registry.example:5000/a/b:2", "registry.example:5000/a/b", "2"),
        ("a@sha256:00", "a", "sha256:00"),
    ],
)
def test_an_image_has_a_name_and_a_tag(image, name, tag):
    assert reference_of(image) == (name, tag)


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        ({"image": None}, "`image` must be text"),
        ({"image": SecretText((SecretRef("token"),))}, "`image` must be text, and is a secret"),
        ({"name": "a b"}, "`name` must be letters"),
        ({"ports": ["80"]}, "`ports` must be a map"),
        ({"ports": {"80": "web"}}, "not `80` to `web`"),
        ({"ports": {"80": 70000}}, "not `80` to `70000`"),
        ({"ports": {"x": 80}}, "not `x` to `80`"),
        ({"ports": {"80": True}}, "not `80` to `True`"),
        ({"volumes": {"a": "b"}}, "absolute paths"),
        ({"volumes": {"a:b": "/b"}}, "absolute paths"),
        ({"lifetime": {"cleanup": "soon"}}, "`lifetime.cleanup` must be one of"),
        ({"lifetime": {"cleanup": "eventually"}}, "`lifetime.after` must say how long"),
        ({"pullPolicy": "often"}, "`pullPolicy` must be one of"),
        ({"return": "exit"}, "`return` must be one of"),
        ({"await": "no"}, "`await` must be true or false"),
        ({"command": 5}, "`command` must be text"),
        ({"arguments": [SecretText((SecretRef("token"),))]}, "never into arguments"),
        ({"environment": {"A=B": "c"}}, "is not a name"),
    ],
)
def test_what_cannot_be_run_says_why(request_, words):
    with pytest.raises(Unfit) as unfit:
        wanted(**request_)
    assert words in str(unfit.value)
    assert "t0psecret" not in str(unfit.value)
