"""A stack, read and checked, before anything is planned."""

from __future__ import annotations

from dataclasses import field, replace
from pathlib import PurePosixPath

from dirigent.model.events.sink import Sink
from dirigent.model.plan import ApplyPolicy
from dirigent.model.program import OnDoubt, Program
from dirigent.model.queue import Queue
from dirigent.model.record import dataclass
from dirigent.model.resource import Check, Resource
from dirigent.model.run.retention import Retention
from dirigent.model.run.schedule import Schedule
from dirigent.model.source import Span
from dirigent.model.values import Template, Value


@dataclass(frozen=True, slots=True)
class Input:
    """A value that the user of the stack may give. `schema` is a JSON Schema without `default`."""

    name: str
    schema: dict[str, Value]
    default: Value = None
    required: bool = True
    span: Span | None = None


@dataclass(frozen=True, slots=True)
class Secret:
    """Where a secret's value is found when an adapter needs it: `env` or `file`, and its name."""

    name: str
    kind: str
    at: str
    span: Span | None = None


@dataclass(frozen=True, slots=True)
class ProviderSetup:
    """A provider in one configuration. `name` is the prefix of its types, or what `provider:` says.

    `source` is HOST/NAMESPACE/TYPE in lower case, `version` what releases will do (`~> 2.5, != 2.5.1`), empty
    for any. `parallel` is how many of its objects may change at a time. `of` is the name of the entry that it
    is another configuration of, empty for a first one; source and version are then those of that entry.
    """

    name: str
    source: str
    version: str = ""
    config: dict[str, Template] = field(default_factory=dict)
    parallel: int = 10
    of: str = ""
    span: Span | None = None
    spans: dict[str, Span] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Move:
    """What is known as `source` is to be known as `to`: both are names of resources, or addresses."""

    source: str
    to: str
    span: Span | None = None


@dataclass(frozen=True, slots=True)
class Release:
    """What is known under a name or an address is let go of, and stays in the world."""

    address: str
    span: Span | None = None


@dataclass(frozen=True, slots=True)
class Adoption:
    """What exists under an id is taken over as an instance; with `each`, as the instances of a resource."""

    to: str
    id: Template
    each: Template = None
    span: Span | None = None


@dataclass(frozen=True, slots=True)
class Errand:
    """What a user wants to be done at once, without the file saying so: one of the three."""

    moves: tuple[Move, ...] = ()
    releases: tuple[Release, ...] = ()
    adoption: Adoption | None = None


@dataclass(frozen=True, slots=True)
class Module:
    """A stack as a resource of another one. `inputs` are what the parent gives, `spans` their places.

    `providers` are names of the module's providers with those of the parent that they mean. `depth` is how
    many modules lie within each other below this one.
    """

    stack: Stack
    inputs: dict[str, Template] = field(default_factory=dict)
    providers: dict[str, str] = field(default_factory=dict)
    spans: dict[str, Span] = field(default_factory=dict)
    depth: int = 0


@dataclass(frozen=True, slots=True)
class StackWorkflow:
    """A workflow of the stack; `input` lies under the input that a caller gives."""

    name: str
    program: Program
    input: dict[str, Template] = field(default_factory=dict)
    span: Span | None = None


@dataclass(frozen=True, slots=True)
class Identity:
    """What calls to one host show of themselves: PEM files, and the name of the secret that opens the key."""

    certificate: str
    key: str = ""
    password: str = ""


@dataclass(frozen=True, slots=True)
class Network:
    """How the guarded client calls: `authorities` is a PEM file trusted beside those of the machine.

    `identities` are client certificates by host, or host and port; `tls` names the servers that are spoken to
    over TLS although a document declares them in plain text. None is the limit of `model.limits`.
    """

    connect_seconds: float | None = None
    total_seconds: float | None = None
    authorities: str = ""
    identities: dict[str, Identity] = field(default_factory=dict)
    tls: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Stack:
    """One stack file. `folder` is the directory that relative paths start from.

    `hosts` are network hosts that `policy.http.hosts` lets the guarded client reach; `doubt` is
    `policy.doubt`: what becomes of an effect of which nobody can say whether it happened; `retention` is
    how long runs are kept that have ended; `probes` say how servers are asked what became of a call;
    `schedules` are of workflows, by their names; `sinks` is where events are delivered to;
    `modules` are the resources of type `stack`, by their names; `apply` is `policy.apply`: how plans are
    carried out; `checks` are asked at the end of every plan and apply, and only warn.
    """

    name: str
    folder: str
    description: str = ""
    inputs: dict[str, Input] = field(default_factory=dict)
    secrets: dict[str, Secret] = field(default_factory=dict)
    resources: dict[str, Resource] = field(default_factory=dict)
    workflows: dict[str, StackWorkflow] = field(default_factory=dict)
    outputs: dict[str, Template] = field(default_factory=dict)
    hosts: tuple[str, ...] = ()
    network: Network = field(default_factory=Network)
    doubt: OnDoubt = OnDoubt.HOLD
    retention: Retention = field(default_factory=Retention)
    probes: tuple[Value, ...] = ()
    queues: dict[str, Queue] = field(default_factory=dict)
    schedules: dict[str, Schedule] = field(default_factory=dict)
    sources: dict[str, str] = field(default_factory=dict)
    sinks: dict[str, Sink] = field(default_factory=dict)
    providers: dict[str, ProviderSetup] = field(default_factory=dict)
    moved: tuple[Move, ...] = ()
    released: tuple[Release, ...] = ()
    imports: tuple[Adoption, ...] = ()
    modules: dict[str, Module] = field(default_factory=dict)
    apply: ApplyPolicy = ApplyPolicy()
    checks: tuple[Check, ...] = ()


def all_secrets(stack: Stack) -> dict[str, Secret]:
    """Return the secrets of a stack and, under paths such as `net/password`, those of its modules."""
    found = dict(stack.secrets)
    for name, module in stack.modules.items():
        for inner, secret in all_secrets(module.stack).items():
            path = f"{name}/{inner}"
            # A path in a module's file starts from the folder of that file.
            at = str(PurePosixPath(module.stack.folder) / secret.at) if secret.kind == "file" else secret.at
            found[path] = replace(secret, name=path, at=at)
    return found
