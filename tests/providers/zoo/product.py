"""What the whole product makes of the cases: a stack file, `plan --json`, `up`, rows, an exported state."""

import json
import sys
from dataclasses import dataclass, replace

from dirigent.model.ids import PlanId, split_address
from dirigent.model.values import SecretText, Unknown
from dirigent.planning.decide import OWN_PATHS
from dirigent.planning.values.difference import segments
from dirigent.providers.tofu.provider.rows import binding_of
from dirigent.providers.tofu.provider.secrecy import Secrecy
from dirigent.providers.tofu.schema.shape import implied
from dirigent.providers.tofu.sealing import Seal, opened, token_of
from providers.zoo.cases import Keyed, Ref
from providers.zoo.kinds import SPECIES
from providers.zoo.terraform import Met, with_states
from system.rig.shop import Differs, Shop

PROVIDERS = {"zoo": 6, "old": 5}
HIDDEN = "(sensitive)"
# What a document can hold as a number.
LARGEST = 2**63 - 1


@dataclass(frozen=True)
class Whole(Met):
    """Also the planned values as `plan --json` shows them, and what the row says in the end."""

    shown: object = None
    row: object = None


class Product(Shop):
    """A stack of the cases; it is handled by the command line alone."""

    @classmethod
    def made(cls, folder, forge, environment):
        """Lay out the programs of the two providers. `environment` is that of one, by its version."""
        for name, version in PROVIDERS.items():
            program = folder / f"terraform-provider-{name}"
            words = [f"export {key}='{value}'" for key, value in environment(version).items()]
            program.write_text(
                "\n".join(["#!/bin/sh", *words, f"exec {sys.executable} -m providers.zoo.keeper", ""])
            )
            program.chmod(0o755)
        return cls(folder, forge)

    @property
    def environment(self):
        """Return where the programs of the two are: a state knows them by their addresses."""
        return {
            f"DIRIGENT_PROVIDER_{name.upper()}": str(self.folder / f"terraform-provider-{name}")
            for name in PROVIDERS
        }

    def live(self, command, *rest, **how):
        return super().live(command, *rest, environment=self.environment, **how)

    def write(self, declared):
        (self.folder / "stack.yaml").write_text(json.dumps(document(declared), indent=1))

    def bring(self, declared):
        """Make what stands before; those that break half-way do so."""
        self.write(declared)
        return self.live("up", "--yes")

    def meet(self, declared, plant=None):
        """Return, by address, what is planned and what it comes to."""
        found, plan = self.planned(declared, plant)
        lived = self.live("up", plan, "--yes", plant=plant)
        if lived.code and not plant:
            raise Differs(lived.err + lived.out)
        words = ("state", "export", "-C", str(self.folder), str(self.folder / "exported"))
        exported = self.forge.live(*words, environment=self.environment)
        if exported.code:
            raise Differs(exported.err)
        state = json.loads((self.folder / "exported").read_text())
        found = with_states(found, named_back(state))
        for row in self.ask(lambda store: store.rows()):
            if named(row.address) in found:
                met = found[named(row.address)]
                found[named(row.address)] = replace(met, row=self.clear(row.attributes))
        return found

    def planned(self, declared, plant=None):
        """Return what is planned, and the id of the plan."""
        self.write(declared)
        lived = self.live("plan", "--json", plant=plant)
        if lived.code:
            raise Differs(lived.err + lived.out)
        stored = self.ask(lambda store: store.plan(PlanId(lived.answer["id"])))
        changes = {each.address: each for each in stored.changes}
        told = lived.answer["changes"]
        # It is shown with the danger first, and carried out in an order of its own.
        assert sorted(each["address"] for each in told) == sorted(changes)
        found = {named(each["address"]): self.told(each, changes[each["address"]]) for each in told}
        return found, stored.id

    def told(self, shown, change):
        """Return what a plan says of an instance: exactly as it is bound, and as it is shown."""
        kept = all(each["path"] in OWN_PATHS for each in shown["differences"])
        action = "keep" if shown["action"] == "update" and kept else shown["action"]
        action += ", create first" if shown["createFirst"] else ""
        if action == "delete":
            return Whole(action)
        prior = self.clear(change.prior.attributes) if change.prior and action[:6] != "create" else {}
        binding = binding_of(change.binding, implied(SPECIES[change.type].block), Secrecy(None, self.seal))
        planned = prior if action == "keep" else binding and binding.planned
        forced = frozenset(
            tuple(segments(each["path"])) for each in shown["differences"] if each["forcesReplacement"]
        )
        pairs = [
            (each["path"], self.seen(each["after"], stored.after))
            for each, stored in zip(shown["differences"], change.differences, strict=True)
            if each["path"] not in OWN_PATHS
        ]
        return Whole(action, planned, forced, shown=put(prior, pairs))

    def seen(self, shown, stored):
        """Return a value of `plan --json`; where it says `(sensitive)`, what is meant by that."""
        match shown, stored:
            case str(), SecretText() if shown == HIDDEN:
                return self.clear(stored)
            case {"unknown": list()}, Unknown():
                return Unknown()
            case dict(), dict():
                return {name: self.seen(each, stored[name]) for name, each in shown.items()}
            case list(), list():
                return [self.seen(*pair) for pair in zip(shown, stored, strict=True)]
            case _:
                return shown

    def clear(self, value):
        return opened(value, lambda secret: self.seal.open(token_of(secret)))

    @property
    def seal(self):
        return Seal(str(self.state / "sensitive.key"))


def put(value, pairs):
    """Return a value with others put at their paths; what is null was taken away."""
    whole = json_copy(value)
    for path, after in pairs:
        *way, last = segments(path)
        node = whole
        for part in way:
            node = node[part]
        if isinstance(node, list) and last == len(node):
            node.append(after)
        else:
            node[last] = after
    return whole


def json_copy(value):
    match value:
        case dict():
            return {name: json_copy(each) for name, each in value.items()}
        case list():
            return [json_copy(each) for each in value]
        case _:
            return value


def document(declared):
    """Return the stack file."""
    found = {}
    for name, each in declared.items():
        found[spelt(name)] = entry = {"type": each.type, "with": written(each.config)}
        match each.many:
            case int():
                entry["count"] = each.many
            case tuple():
                entry["each"] = list(each.many)
        lifecycle = {"ignore": list(each.ignore)} if each.ignore else {}
        entry["lifecycle"] = lifecycle | ({"replace": "create-first"} if each.first else {})
    providers = {name: {"source": f"example.com/own/{name}"} for name in PROVIDERS}
    return {"stack": "zoo", "providers": providers, "resources": found}


def written(value):
    match value:
        case dict():
            return {name: written(each) for name, each in value.items()}
        case list():
            return [written(each) for each in value]
        case Ref(resource, attribute):
            return f'${{ $resources["{spelt(resource)}"].{attribute} }}'
        case Keyed(text):
            return f'${{ "{text}" + ($each.key | tostring) }}'
        case int() if value > LARGEST:
            return str(value)
        case _:
            return value


def spelt(name):
    return name.replace("_", "-")


def named(address):
    """Return our address as Terraform would have it."""
    name, _ = split_address(address)
    return name.replace("-", "_") + address[len(name) :]


def named_back(state):
    return {"resources": [{**each, "name": each["name"].replace("-", "_")} for each in state["resources"]]}
