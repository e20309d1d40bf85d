"""A state becomes the text that Terraform and OpenTofu read."""

from __future__ import annotations

import json

from dirigent.model.values import Value
from dirigent.providers.tofu.state4.document import TAINTED, VERSION, Document, Entry, Instance, Step


def write_document(document: Document) -> str:
    """Return the JSON of a state; `reading.read_document` is the inverse."""
    found: dict[str, Value] = {
        "version": VERSION,
        "terraform_version": document.terraform,
        "serial": document.serial,
        "lineage": document.lineage,
        "outputs": dict(document.outputs),
        "resources": [_entry(each) for each in document.entries],
    }
    if document.checks is not None:
        found["check_results"] = document.checks
    return json.dumps(found, ensure_ascii=False, indent=2) + "\n"


def _entry(entry: Entry) -> dict[str, Value]:
    found: dict[str, Value] = {"module": entry.module} if entry.module else {}
    alias = f".{entry.alias}" if entry.alias else ""
    found |= {
        "mode": entry.mode,
        "type": entry.type,
        "name": entry.name,
        "provider": f'provider["{entry.source}"]{alias}',
        "instances": [_instance(each) for each in entry.instances],
    }
    return found


def _instance(instance: Instance) -> dict[str, Value]:
    found: dict[str, Value] = {}
    if instance.key is not None:
        found["index_key"] = instance.key
    if instance.tainted:
        found["status"] = TAINTED
    if instance.deposed:
        found["deposed"] = instance.deposed
    found["schema_version"] = instance.version
    found["attributes"] = instance.attributes
    found["sensitive_attributes"] = [[_step(step) for step in path] for path in instance.sensitive]
    if instance.private:
        found["private"] = instance.private
    if instance.identity is not None:
        found |= {"identity_schema_version": instance.identity_version, "identity": instance.identity}
    if instance.dependencies:
        found["dependencies"] = list(instance.dependencies)
    if instance.create_first:
        found["create_before_destroy"] = True
    return found


def _step(step: Step) -> dict[str, Value]:
    if not step.index:
        return {"type": "get_attr", "value": step.at}
    kind = "number" if isinstance(step.at, int) else "string"
    return {"type": "index", "value": {"value": step.at, "type": kind}}
