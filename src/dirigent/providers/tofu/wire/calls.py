"""The calls, by the names of version 6: what they are called in version 5, and what goes each way."""

from __future__ import annotations

from typing import Final

from dirigent.model.record import dataclass


@dataclass(frozen=True, slots=True)
class Method:
    """One call. `streams` says that it answers with many messages; `older` is its name in version 5."""

    name: str
    request: str
    response: str
    older: str = ""
    streams: bool = False

    def path(self, version: int) -> str:
        """Return the path of the call on the wire."""
        name = self.older if version == OLDER and self.older else self.name
        return f"/tfplugin{version}.Provider/{name}"


OLDER: Final = 5

SCHEMA: Final = Method("GetProviderSchema", "Empty", "GetProviderSchema.Response", "GetSchema")
IDENTITIES: Final = Method("GetResourceIdentitySchemas", "Empty", "GetResourceIdentitySchemas.Response")
VALIDATE_PROVIDER: Final = Method(
    "ValidateProviderConfig",
    "ValidateProviderConfig.Request",
    "ValidateProviderConfig.Response",
    "PrepareProviderConfig",
)
CONFIGURE: Final = Method("ConfigureProvider", "ConfigureProvider.Request", "Diagnosed", "Configure")
VALIDATE: Final = Method(
    "ValidateResourceConfig", "ValidateConfig.Request", "Diagnosed", "ValidateResourceTypeConfig"
)
VALIDATE_DATA: Final = Method(
    "ValidateDataResourceConfig", "ValidateConfig.Request", "Diagnosed", "ValidateDataSourceConfig"
)
UPGRADE: Final = Method(
    "UpgradeResourceState", "UpgradeResourceState.Request", "UpgradeResourceState.Response"
)
UPGRADE_IDENTITY: Final = Method(
    "UpgradeResourceIdentity", "UpgradeResourceIdentity.Request", "UpgradeResourceIdentity.Response"
)
READ: Final = Method("ReadResource", "ReadResource.Request", "ReadResource.Response")
PLAN: Final = Method("PlanResourceChange", "PlanResourceChange.Request", "PlanResourceChange.Response")
APPLY: Final = Method("ApplyResourceChange", "ApplyResourceChange.Request", "ApplyResourceChange.Response")
IMPORT: Final = Method("ImportResourceState", "ImportResourceState.Request", "ImportResourceState.Response")
MOVE: Final = Method("MoveResourceState", "MoveResourceState.Request", "MoveResourceState.Response")
READ_DATA: Final = Method("ReadDataSource", "ReadDataSource.Request", "ReadDataSource.Response")
VALIDATE_EPHEMERAL: Final = Method("ValidateEphemeralResourceConfig", "ValidateConfig.Request", "Diagnosed")
OPEN: Final = Method("OpenEphemeralResource", "ValidateConfig.Request", "OpenEphemeralResource.Response")
RENEW: Final = Method(
    "RenewEphemeralResource", "EphemeralResource.Request", "RenewEphemeralResource.Response"
)
CLOSE: Final = Method("CloseEphemeralResource", "EphemeralResource.Request", "Diagnosed")
FUNCTIONS: Final = Method("GetFunctions", "Empty", "GetFunctions.Response")
CALL: Final = Method("CallFunction", "CallFunction.Request", "CallFunction.Response")
VALIDATE_LIST: Final = Method("ValidateListResourceConfig", "ValidateListConfig.Request", "Diagnosed")
LIST: Final = Method("ListResource", "ListResource.Request", "ListResource.Event", streams=True)
STOP: Final = Method("StopProvider", "Empty", "Stop.Response", "Stop")

METHODS: Final = (
    SCHEMA,
    IDENTITIES,
    VALIDATE_PROVIDER,
    CONFIGURE,
    VALIDATE,
    VALIDATE_DATA,
    UPGRADE,
    UPGRADE_IDENTITY,
    READ,
    PLAN,
    APPLY,
    IMPORT,
    MOVE,
    READ_DATA,
    VALIDATE_EPHEMERAL,
    OPEN,
    RENEW,
    CLOSE,
    FUNCTIONS,
    CALL,
    VALIDATE_LIST,
    LIST,
    STOP,
)

SHUTDOWN_PATH: Final = "/plugin.GRPCController/Shutdown"
