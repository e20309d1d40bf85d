"""The performer of gRPC. Importing it needs the extra `grpc`: `app.protocols.extras` looks first."""

from __future__ import annotations

from dirigent.app.planning import Parts
from dirigent.app.stacks import Surrounding
from dirigent.app.web import client, credentials
from dirigent.ports import Performer
from dirigent.tasks.grpc.call import GrpcPerformer
from dirigent.tasks.openapi.document import within


def grpc(around: Surrounding, parts: Parts) -> Performer:
    """Build the performer of `call: grpc`."""
    read = within(str(around.folder.absolute()))
    return GrpcPerformer(client(around, parts), credentials(around, parts), read)
