"""The performers that reach the network. Importing them costs more than most commands as a whole."""

from __future__ import annotations

from dirigent.app.planning import Parts
from dirigent.app.stacks import Surrounding
from dirigent.ports import Performer
from dirigent.tasks.http.call import HttpPerformer
from dirigent.tasks.http.client import Client
from dirigent.tasks.openapi.call import OpenApiPerformer
from dirigent.tasks.openapi.document import within


def http(around: Surrounding, parts: Parts) -> Performer:
    """Build the performer of `call: http`."""
    return HttpPerformer(_client(around), parts.vault)


def openapi(around: Surrounding, parts: Parts) -> Performer:
    """Build the performer of `call: openapi`."""
    return OpenApiPerformer(_client(around), parts.vault, within(str(around.folder.absolute())))


def _client(around: Surrounding) -> Client:
    return Client(around.stack.hosts if around.stack else ())
