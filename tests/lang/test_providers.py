"""The section `providers`: where they come from, in which configurations, and who manages what."""

from __future__ import annotations

import pytest

from dirigent.app.resources import TYPES
from dirigent.lang.stack.outside.providers import full_source
from dirigent.model.problem import Refusal
from dirigent.model.values import Expression
from dirigent.service.stacks import load_stack

HEAD = "stack: demo\ninputs: {host: {type: string}}\nproviders:\n"


@pytest.fixture
def read(tmp_path):
    def reading(text):
        (tmp_path / "stack.yaml").write_text(HEAD + text)
        return load_stack(tmp_path / "stack.yaml", TYPES).stack

    return reading


def test_a_provider_is_known_by_the_prefix_of_its_types_or_by_its_name(read):
    stack = read(
        "  docker: {source: kreuzwerker/docker, version: '~> 3.0', parallel: 4}\n"
        "  west: {of: docker, with: {host: '${ $inputs.host }'}}\n"
        "resources:\n"
        "  web: {type: docker_container, with: {image: nginx, ports: [{internal: 80}]}}\n"
        "  far: {type: docker_container, provider: west, lifecycle: {identity: '{name}'}}\n"
        "  note: {type: file, with: {path: a, content: b}}\n"
    )
    docker, west = stack.providers["docker"], stack.providers["west"]
    assert (docker.source, docker.version, docker.parallel) == (
        "registry.opentofu.org/kreuzwerker/docker",
        "~> 3.0",
        4,
    )
    assert (west.source, west.version, west.of) == (docker.source, "~> 3.0", "docker")
    assert isinstance(west.config["host"], Expression)
    assert {name: each.provider for name, each in stack.resources.items()} == {
        "web": "docker",
        "far": "west",
        "note": "",
    }
    assert stack.resources["far"].identity == "{name}"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("  local: {source: 'local/'}\n", "E1421"),
        ("  local: {source: a/b/c/d}\n", "E1421"),
        ("  local: {source: nodots/b/c}\n", "E1421"),
        ("  west: {of: dokcer}\n", "E1422"),
        ("  a: {source: x/a}\nresources:\n  r: {type: a_b, provider: c}\n", "E1423"),
        ("  a: {source: x/a}\nresources:\n  r: {type: other_b}\n", "E1414"),
        ("  a: {version: '1'}\n", "E1209"),
        ("  A_b: {source: x/a}\n", "E1211"),
        ("  a: {source: x/a, with: {host: '${ $inputs.nohost }'}}\n", "E1402"),
        ("  a: {source: x/a, version: latest}\n", "E3020"),
        ("  a: {source: x/a, version: '~> 1.2-beta'}\n", "E3020"),
        ("  a: {source: ./bin/a, version: '1.2'}\n", "E3020"),
    ],
)
def test_what_cannot_be_meant_is_refused(read, text, code):
    with pytest.raises(Refusal) as refused:
        read(text)
    assert code in {problem.code for problem in refused.value.problems}


@pytest.mark.parametrize(
    ("written", "source"),
    [
        ("null", "registry.opentofu.org/hashicorp/null"),
        ("Hashicorp/Null", "registry.opentofu.org/hashicorp/null"),
        ("example.com:8443/x/y", "example.com:8443/x/y"),
        ("localhost:8080/x/y", "localhost:8080/x/y"),
        ("x//y", None),
        ("../y", None),
        ("", None),
    ],
)
def test_a_source_is_written_in_full(written, source):
    assert full_source(written) == source


def test_a_source_may_be_the_path_of_a_program(read):
    found = read("  a: {source: ./Bin/terraform-provider-a}\n  b: {of: a}\n")
    assert {name: (each.source, each.version) for name, each in found.providers.items()} == {
        "a": ("./Bin/terraform-provider-a", ""),
        "b": ("./Bin/terraform-provider-a", ""),
    }
