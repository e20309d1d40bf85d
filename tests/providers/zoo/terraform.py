"""What Terraform 1.0.3 makes of the cases: all of them in one configuration, five runs of it."""

import json
import os
import subprocess
from dataclasses import dataclass, field, replace

from dirigent.model.values import Unknown
from providers.zoo.cases import Keyed, Ref

ACTIONS = {
    ("no-op",): "keep",
    ("create",): "create",
    ("update",): "update",
    ("delete",): "delete",
    ("delete", "create"): "replace",
    ("create", "delete"): "replace, create first",
}


@dataclass(frozen=True)
class Met:
    """What a tool said of one instance and what came of it. `planned` holds `Unknown`."""

    action: str
    planned: object = None
    forced: frozenset[tuple[str | int, ...]] = frozenset()
    state: object = None


@dataclass(frozen=True)
class Terraform:
    """It works in a folder, with a zoo that listens on a socket."""

    program: str
    folder: object
    socket: str
    environment: dict[str, str] = field(default_factory=dict)

    def around(self):
        met = {
            f"example.com/own/{name}": {
                "Protocol": "grpc",
                "ProtocolVersion": version,
                "Pid": os.getpid(),
                "Test": True,
                "Addr": {"Network": "unix", "String": self.socket},
            }
            for name, version in (("zoo", 6), ("old", 5))
        }
        return {
            "TF_REATTACH_PROVIDERS": json.dumps(met),
            "CHECKPOINT_DISABLE": "1",
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder),
            **self.environment,
        }

    def run(self, *words, fails=False):
        done = subprocess.run(
            [self.program, *words],
            cwd=self.folder,
            env=self.around(),
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode and not fails:
            raise AssertionError(f"terraform {' '.join(words)}\n{complaints(done.stdout)}\n{done.stderr}")
        return done.stdout

    def write(self, declared):
        (self.folder / "main.tf.json").write_text(json.dumps(document(declared)))

    def bring(self, declared):
        """Make what stands before; those that break half-way do so."""
        self.write(declared)
        self.run("init", "-no-color")
        self.run("apply", "-auto-approve", "-json", fails=True)

    def meet(self, declared):
        """Return, by address, what is planned and what it comes to."""
        self.write(declared)
        self.run("plan", "-json", "-out", "plan")
        plan = json.loads(self.run("show", "-json", "plan"))
        self.run("apply", "-json", "plan")
        return met(plan, json.loads((self.folder / "terraform.tfstate").read_text()))


def complaints(said):
    found = []
    for line in said.splitlines():
        told = json.loads(line) if line.startswith("{") else {}
        if told.get("type") == "diagnostic":
            about = told["diagnostic"]
            found.append(f"{about['summary']}: {about['detail']} {about.get('snippet', {}).get('context')}")
    return "\n".join(found)


def document(declared):
    resources = {}
    for name, each in declared.items():
        key = "count.index" if isinstance(each.many, int) else "each.key"
        content = written(each.config, declared, key)
        match each.many:
            case int():
                content["count"] = each.many
            case tuple():
                content["for_each"] = f"${{toset({json.dumps(each.many)})}}"
        content["lifecycle"] = {"ignore_changes": list(each.ignore), "create_before_destroy": each.first}
        resources.setdefault(each.type, {})[name] = content
    wanted = {name: {"source": f"example.com/own/{name}"} for name in ("zoo", "old")}
    return {"terraform": {"required_providers": wanted}, "resource": resources}


def written(value, declared, key):
    match value:
        case dict():
            return {name: written(each, declared, key) for name, each in value.items()}
        case list():
            return [written(each, declared, key) for each in value]
        case Ref(resource, attribute):
            return f"${{{declared[resource].type}.{resource}.{attribute}}}"
        case Keyed(text):
            return f"{text}${{{key}}}"
        case _:
            return value


def met(plan, state):
    found = {}
    for each in plan["resource_changes"]:
        change = each["change"]
        planned = with_unknown(change["after"], change.get("after_unknown"))
        forced = frozenset(tuple(path) for path in change.get("replace_paths", []))
        found[each["address"].split(".", 1)[1]] = Met(ACTIONS[tuple(change["actions"])], planned, forced)
    return with_states(found, state)


def with_states(found, state):
    """Return what was planned of each instance with what a state says that it came to."""
    found = dict(found)
    for each in state["resources"]:
        for instance in each["instances"]:
            key = instance.get("index_key")
            address = each["name"] if key is None else f"{each['name']}[{json.dumps(key)}]"
            if address in found:
                found[address] = replace(found[address], state=instance["attributes"])
    return found


def with_unknown(value, unknown):
    match value, unknown:
        case _, True:
            return Unknown()
        case ((dict() | None), dict()) if unknown:
            return {
                name: with_unknown((value or {}).get(name), unknown.get(name))
                for name in {**(value or {}), **unknown}
            }
        case ((list() | None), list()) if unknown:
            known = [*(value or []), *[None] * len(unknown)]
            return [with_unknown(known[at], each) for at, each in enumerate(unknown)]
        case _:
            return value
