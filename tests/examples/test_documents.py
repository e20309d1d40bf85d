"""The shop's documents: the workflow is plain DSL, and every call of it names an operation that exists."""

from __future__ import annotations

import re
from pathlib import Path

import jsonschema_rs
import pytest
import yaml

from examples.running import running

ROOT = Path(__file__).parents[2]
SHOP = ROOT / "examples" / "shop"
SCHEMA = ROOT.parent / "shared" / "conformance" / "open-workflow" / "schema" / "workflow.yaml"


class Core(yaml.SafeLoader):
    """YAML 1.2 as far as these files need it: `on` is a text."""


BOOLEAN = re.compile("^(?:true|false)$")
Core.yaml_implicit_resolvers = {
    first: [(tag, BOOLEAN if tag.endswith("bool") else pattern) for tag, pattern in kinds]
    for first, kinds in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def load(path):
    return yaml.load(path.read_text(), Core)


def calls(node):
    """Yield the (document, operation, arguments) of every OpenAPI call in a document."""
    stack = [node]
    while stack:
        item = stack.pop()
        if isinstance(item, dict):
            if item.get("call") == "openapi":
                with_ = item["with"]
                yield with_["document"]["endpoint"], with_["operationId"], with_.get("parameters", {})
            stack.extend(item.values())
        elif isinstance(item, list):
            stack.extend(item)


def test_place_order_is_valid_against_the_schema_of_the_standard():
    if not SCHEMA.exists():
        pytest.skip(f"the schema of the standard is not beside this checkout ({SCHEMA.name})")
    validator = jsonschema_rs.validator_for(load(SCHEMA))
    errors = [
        f"{error.instance_path}: {error.message}"
        for error in validator.iter_errors(load(SHOP / "workflows" / "place-order.yaml"))
    ]
    assert errors == []


@pytest.mark.slow
def test_place_order_calls_only_what_the_services_describe(tmp_path):
    operations = {}
    for name in ("inventory", "payment", "shipping"):
        with running(name, tmp_path) as service:
            for path in service.ask("GET", "/openapi.json")[1]["paths"].values():
                operations.update({(name, o["operationId"]): o for o in path.values()})
    found = list(calls(load(SHOP / "workflows" / "place-order.yaml")))
    assert len(found) == 11
    for endpoint, operation, arguments in found:
        service = re.fullmatch(r"\$\{ \$context\.(\w+) \}", endpoint)[1]
        described = operations[service, operation]
        wanted = {p["name"] for p in described["parameters"] if p["required"]}
        known = {p["name"] for p in described["parameters"]}
        if body := described.get("requestBody"):
            properties = body["content"]["application/json"]["schema"]["properties"]
            assert set(arguments["body"]) == set(properties), operation
            wanted, known = wanted | {"body"}, known | {"body"}
        assert wanted <= set(arguments) <= known, operation
        # The key is the engine's affair: it knows which effect this is.
        assert "Idempotency-Key" not in arguments


def test_each_service_of_the_stack_has_a_file():
    stack = load(SHOP / "stack.yaml")
    services = {name: r for name, r in stack["resources"].items() if r["type"] == "service"}
    assert set(services) == {"inventory", "payment", "shipping"}
    for resource in services.values():
        assert (SHOP / resource["with"]["command"][1]).is_file()
    assert (SHOP / stack["workflows"]["place-order"]["from"]).is_file()
