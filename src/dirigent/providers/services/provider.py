"""The provider of the type `service` on the runtime `process`.

An operation ends when the service is well in its new form, or with the reason why it is not; in that
case what ran before runs on. Nothing forces a replacement: the address outlives every change.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from dirigent.model.problem import Problem, Refusal
from dirigent.model.resource import ResourceRow
from dirigent.model.values import Unknown, Value
from dirigent.ports import Vault
from dirigent.ports.resources import Operation, Proposal, ProviderFailed, Reading
from dirigent.providers.services import control
from dirigent.providers.services.configuration import Findings, read, secrets_of, shown
from dirigent.providers.services.definition import Definition
from dirigent.providers.services.folder import ServiceFolder, Status, Wish, folder_of

TYPE: Final = "service"
HOST: Final = "127.0.0.1"


class ServiceProvider:
    """Manages services below one folder, by one steward process for each."""

    def __init__(self, services: str, folder: str, surroundings: Mapping[str, str], vault: Vault) -> None:
        """Keep services below `services`; relative directories start from `folder`.

        `surroundings` are the variables that every replica finds besides those of its definition.
        """
        self._services = services
        self._folder = folder
        self._surroundings = surroundings
        self._vault = vault

    @property
    def types(self) -> frozenset[str]:
        """Return the one type."""
        return frozenset({TYPE})

    def rooted(self, type_name: str) -> bool:
        """Return that a service is found by its address: its folder has that name."""
        return type_name in self.types

    async def read(self, row: ResourceRow) -> Reading:
        """Look whether it is kept, and in which form."""
        folder = folder_of(self._services, row.address)
        status, current = control.standing(folder), folder.current()
        if status is None or status.port is None or current is None or current.definition is None:
            return Reading(None)
        applied = shown(row.config)
        differing = [
            name
            for name in sorted({*applied, *current.shown})
            if applied.get(name) != current.shown.get(name)
        ]
        actual: dict[str, Value] = {name: _value(current.shown.get(name)) for name in differing}
        lasting = sum(1 for each in status.replicas if each.get("state") != "given-up")
        if lasting < current.definition.replicas:
            actual["replicas"] = lasting
        attributes = _attributes(status.port, current.definition.replicas)
        return Reading(attributes, actual, _claims(status.port))

    async def propose(self, type_name: str, prior: ResourceRow | None, config: dict[str, Value]) -> Proposal:
        """Say what would become of it; raises `Refusal` (E3401, E3402) for properties that cannot be."""
        definition, found = read(config, self._folder, self._surroundings, str)
        _refuse(found, type_name)
        port: Value = definition.port
        if isinstance(config.get("port"), Unknown) or (port is None and prior is None):
            port = Unknown()
        elif port is None and prior is not None:
            # An address that was chosen once stays; one that was given before does as well.
            port = prior.attributes.get("port", Unknown())
        replicas = config.get("replicas", 1)
        if isinstance(port, int):
            attributes = {**_attributes(port, definition.replicas), "replicas": replicas}
            return Proposal(attributes, claims=_claims(port))
        return Proposal({"url": Unknown(), "host": HOST, "port": Unknown(), "replicas": replicas})

    async def apply(self, operation: Operation) -> tuple[dict[str, Value], Value]:
        """Bring it to its configuration, or end it; raises `ProviderFailed`."""
        folder = folder_of(self._services, operation.address)
        if operation.action in {"delete", "forget"}:
            await self._remove(folder)
            return {}, None
        definition, texts = self._definition(operation.config)
        key = f"{operation.order.id}/{operation.order.attempt}"
        wish = control.desire(folder, key, definition, texts, again=operation.order.doubtful)
        status = await self._settled(folder, wish)
        if status.error is None and status.port is not None:
            return _attributes(status.port, definition.replicas), {"generation": wish.generation}
        current = folder.current()
        if current is None or current.definition is None or status.port is None:
            await self._remove(folder, keep_log=True)
            raise ProviderFailed(status.error or "the steward has no address")
        left = _attributes(status.port, current.definition.replicas)
        raise ProviderFailed(
            f"{status.error}\nwhat ran before runs on", left, {"generation": current.generation}
        )

    async def abandon(self, operation: Operation) -> None:
        """Go back to what ran before, if the operation has not come to its end; a removal ends anyhow."""
        folder = folder_of(self._services, operation.address)
        wish, status = folder.desired(), folder.status()
        if operation.action == "delete":
            await self._remove(folder)
        elif wish is None or (status is not None and status.settled >= wish.generation):
            return
        elif (current := folder.current()) is None or current.definition is None:
            await self._remove(folder, keep_log=True)
        else:
            texts = (current.shown, current.secrets)
            back = control.desire(folder, "abandon", current.definition, texts, again=False)
            await self._settled(folder, back)

    def _definition(
        self, config: dict[str, Value]
    ) -> tuple[Definition, tuple[dict[str, object], dict[str, str]]]:
        try:
            definition, found = read(config, self._folder, self._surroundings, self._vault.reveal)
            _refuse(found, TYPE)
            return definition, (shown(config), secrets_of(config, self._vault.reveal))
        except Refusal as refusal:
            raise ProviderFailed(str(refusal)) from refusal

    async def _settled(self, folder: ServiceFolder, wish: Wish) -> Status:
        try:
            return await control.settled(folder, wish)
        except control.NoSteward as reason:
            raise ProviderFailed(str(reason)) from reason

    async def _remove(self, folder: ServiceFolder, *, keep_log: bool = False) -> None:
        wishes = [wish for wish in (folder.desired(), folder.current()) if wish is not None]
        graces = [wish.definition.grace_seconds for wish in wishes if wish.definition is not None]
        try:
            await control.remove(folder, max(graces, default=0.0), keep_log=keep_log)
        except control.NoSteward as reason:
            raise ProviderFailed(str(reason)) from reason


def _attributes(port: int, replicas: int) -> dict[str, Value]:
    return {"url": f"http://{HOST}:{port}", "host": HOST, "port": port, "replicas": replicas}


def _claims(port: int) -> tuple[str, ...]:
    return (f"port {port} of {HOST}",)


def _refuse(found: Findings, type_name: str) -> None:
    problems = [
        Problem("E3401", mistake, help=(f"every property of `{type_name}` is in docs/services.md",))
        for mistake in found.mistakes
    ] + [
        Problem("E3402", secret, help=("give it in `environment`: commands can be read by every user",))
        for secret in found.secrets
    ]
    if problems:
        raise Refusal(problems)


def _value(plain: object) -> Value:
    """Return JSON that was read back as a value; the depth of a document bounds its depth."""
    match plain:
        case None | bool() | int() | float() | str():
            return plain
        case list():
            return [_value(each) for each in plain]
        case dict():
            return {str(name): _value(each) for name, each in plain.items()}
        case _:
            raise TypeError(f"`{plain}` is not JSON")
