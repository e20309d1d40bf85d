"""A plan: the reviewed set of changes. It is stored, shown, approved by its id, and it is the program.

Rule: apply knows nothing that the plan does not; `fingerprint` says for which world it was made.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import field, fields, is_dataclass
from enum import Enum
from functools import cache
from typing import Final, cast

from dirigent.model.ids import Address, PlanId, digest_of
from dirigent.model.record import dataclass
from dirigent.model.resource import Check, ResourceRow
from dirigent.model.source import Span
from dirigent.model.values import Template, Value

_ID_CHARACTERS = 12

# Figures of the making, not of what is planned: they may differ between equal plans.
_IGNORED = frozenset({"id", "at", "read_seconds", "sources"})


class Action(Enum):
    """What happens to one instance.

    To forget one that is gone already clears our traces of it; to release one lets go of what stands.
    """

    CREATE = "create"
    UPDATE = "update"
    REPLACE = "replace"
    DELETE = "delete"
    FORGET = "forget"
    RELEASE = "release"
    ADOPT = "adopt"
    READ = "read"
    KEEP = "keep"


@dataclass(frozen=True, slots=True)
class Difference:
    """One property that changes; `before` or `after` is None where it is absent.

    `path` is dotted (`environment.LOG_LEVEL`, `command[2]`); `after` may be `Unknown`.
    """

    path: str
    before: Value
    after: Value
    forces_replacement: bool = False
    span: Span | None = None


@dataclass(frozen=True, slots=True)
class Checked:
    """What a plan knows of a check: whether it `holds`, None where that is known only at apply.

    `message` says what is wrong where it does not. `sees` are the paths that its condition looks at, as
    `$self.url`, and `seen` what was there. One of a stack is asked in the module `scope`, with `each` and
    `waits` as in `Change`; its `name` is then a path, too.
    """

    check: Check
    holds: bool | None = None
    message: Value = None
    sees: tuple[str, ...] = ()
    seen: dict[str, Value] = field(default_factory=dict)
    name: str = ""
    scope: str = ""
    each: Value = None
    waits: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Change:
    """One instance of the plan. `config` is the template that apply evaluates; `prior` what stands now.

    `because` says in words why (`removed from the stack`, `command forces replacement`).
    `each` is the value of `$each` (an object with key and value), None where there is none.
    `provider` names the configuration of its provider, and `setup` is that configuration, as a template
    that apply evaluates. `binding` is what the provider has promised, in a form that only it understands:
    it sees it again at apply. `deferred` says that its provider could not be asked yet. `lingers` says that
    the one that is replaced stays as a leftover, because what stands on it is not in the plan. `adopts` is
    the row that an adoption writes as it is: nothing in the world is touched. `waits` are the names of the
    bridges that its expressions see. `moved_from` is the address that the row had, and `moved_type` its type
    where that was another one: then `prior` is what the row comes to. One that `follows` stands on something
    that has moved; `imported` is the id under which something that exists is taken over first.
    `triggers` are the expressions of `lifecycle.replace-when`, by their text, to be kept with the row;
    `checks` are those of the instance. `create_first` says how it is replaced by this plan,
    `create_first_kept` what its row shall remember. `loses` says in words what is lost for good when its
    end comes, empty where nothing is.
    """

    address: Address
    name: str
    type: str
    action: Action
    key: int | str | None = None
    config: dict[str, Template] = field(default_factory=dict)
    prior: ResourceRow | None = None
    needs: tuple[str, ...] = ()
    differences: tuple[Difference, ...] = ()
    because: str = ""
    drifted: bool = False
    create_first: bool = False
    protect: bool = False
    warnings: tuple[str, ...] = ()
    span: Span | None = None
    each: Value = None
    provider: str = ""
    setup: dict[str, Template] = field(default_factory=dict)
    binding: Value = None
    identity: str = ""
    deferred: bool = False
    lingers: bool = False
    adopts: ResourceRow | None = None
    waits: tuple[str, ...] = ()
    moved_from: str = ""
    follows: bool = False
    imported: str = ""
    triggers: dict[str, Template] = field(default_factory=dict)
    checks: tuple[Checked, ...] = ()
    create_first_kept: bool = False
    loses: str = ""
    moved_type: str = ""

    @property
    def acts(self) -> bool:
        """Return whether it does anything, be it only to what we know."""
        return self.action is not Action.KEEP or bool(self.moved_from or self.imported) or self.follows


@dataclass(frozen=True, slots=True)
class Selection:
    """What a user asked of a plan: only `targets` with all they need, nothing that needs an `exclude`d one.

    What `replace` names is made anew although nothing else demands it. All are names of resources, or
    addresses of instances.
    """

    targets: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    replace: tuple[str, ...] = ()

    @property
    def partial(self) -> bool:
        """Return whether anything may be left out."""
        return bool(self.targets or self.exclude)


EVERYTHING: Final = Selection()


class OnFailure(Enum):
    """What becomes of an apply when one of its steps fails.

    Keep what was done, and go on with what does not need it; the same, but hold the step until a person has
    mended what was wrong; or take back what was done.
    """

    KEEP = "keep"
    PAUSE = "pause"
    COMPENSATE = "compensate"


@dataclass(frozen=True, slots=True)
class ApplyPolicy:
    """How a plan is carried out: what a failure means, and how many of its steps may be under way at once.

    `providers` says the latter of the objects of one provider, by its name, where it is fewer.
    """

    on_failure: OnFailure = OnFailure.KEEP
    parallel: int = 16
    providers: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Bridge:
    """An input or output of a module that is known only at apply: `net/$inputs.cidr`, `net/$outputs.id`.

    Its `template` is evaluated in the module `scope`, with `each` as in `Change`; `needs` are the addresses
    that it hangs on, `waits` the names of other bridges that it sees. `schema` is that of an input.
    """

    name: str
    scope: str
    template: Template
    needs: tuple[str, ...] = ()
    waits: tuple[str, ...] = ()
    each: Value = None
    schema: Value = None
    span: Span | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """`destroy` marks a plan for `down`. `inputs` are the values that it was made with.

    `changes` are in the order in which they may start. `fingerprint` is the digest of the resource rows
    that it touches: a different one at apply refuses the plan (exit code 8). `secrets` are the
    names that `$secrets` has, never values; `empty` the resources without an instance (`[]`, `{}`).
    `left_out` names what `selection` leaves alone: resources, and addresses of instances.
    `bridges` are in an order in which they may be evaluated; `modules` has the variables of each module
    instance in which something is still to be evaluated, and `shown` the outputs of instances as far as
    they are known, both by address. `policy` is how it is to be carried out. `rollback` is the run after
    which it stood as this plan brings it back, empty for a plan of the stack as declared. `checks` are
    those of the stack and its modules.
    """

    id: PlanId
    stack: str
    at: float
    changes: tuple[Change, ...]
    fingerprint: str
    inputs: dict[str, Value] = field(default_factory=dict)
    outputs: dict[str, Template] = field(default_factory=dict)
    destroy: bool = False
    read_seconds: float = 0.0
    sources: dict[str, str] = field(default_factory=dict)
    secrets: tuple[str, ...] = ()
    empty: dict[str, Value] = field(default_factory=dict)
    selection: Selection = EVERYTHING
    left_out: tuple[str, ...] = ()
    bridges: tuple[Bridge, ...] = ()
    modules: dict[str, dict[str, Value]] = field(default_factory=dict)
    shown: dict[str, Value] = field(default_factory=dict)
    rollback: str = ""
    policy: ApplyPolicy = ApplyPolicy()
    checks: tuple[Checked, ...] = ()

    @property
    def pending(self) -> tuple[Change, ...]:
        """Return the changes that do something."""
        return tuple(change for change in self.changes if change.acts)


def fingerprint(rows: Sequence[ResourceRow]) -> str:
    """Return the digest of rows, whatever their order: the world that a plan was made for."""
    return _digest(sorted(rows, key=lambda row: row.address))


def identity(plan: Plan) -> PlanId:
    """Return the id of a plan, derived from everything in it but its time and its places in the text."""
    content = {each.name: getattr(plan, each.name) for each in fields(plan) if each.name not in _IGNORED}
    return PlanId(_digest(content)[:_ID_CHARACTERS])


def _digest(content: object) -> str:
    text = json.dumps(content, default=_plain, sort_keys=True, separators=(",", ":"))
    return digest_of(text.encode("utf-8", "surrogatepass"))


@cache
def _names(kind: type) -> tuple[str, ...]:
    """Return the names of the fields of a class. A plan has many objects of few classes."""
    return tuple(each.name for each in fields(kind))


def _plain(thing: object) -> object:
    """Return a value of the model in terms of JSON; a key that no document can hold marks its class."""
    match thing:
        case Span():
            return None
        case Enum():
            return {"\x00": type(thing).__name__, "value": thing.value}
        case _ if is_dataclass(thing):
            kind: type = type(thing)
            members = {name: cast("object", getattr(thing, name)) for name in _names(kind)}
            return {"\x00": kind.__name__, **members}
        case _:
            raise TypeError(f"{thing!r} has no place in a plan")


# What destroys is shown first, and counted.
DESTRUCTIVE: Final = (Action.REPLACE, Action.DELETE)


def danger_first(plan: Plan) -> tuple[Change, ...]:
    """Return the changes as they are shown: what loses something, what else destroys, then the others."""
    return tuple(sorted(plan.changes, key=_safety))


def _safety(change: Change) -> int:
    if change.loses:
        return 0
    return 1 if change.action in DESTRUCTIVE else 2


def lost(plan: Plan) -> tuple[Change, ...]:
    """Return the changes by which something is lost for good."""
    return tuple(change for change in plan.changes if change.loses)
