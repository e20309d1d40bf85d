"""The performers that reach the network. Importing them costs more than most commands as a whole."""

from __future__ import annotations

import os

from dirigent.app.planning import Parts, inherited
from dirigent.app.stacks import Surrounding
from dirigent.model import limits
from dirigent.ports import Performer
from dirigent.tasks.a2a.call import A2aPerformer
from dirigent.tasks.container.performer import ContainerPerformer
from dirigent.tasks.container.registry import Registries
from dirigent.tasks.container.runtime import socket_of
from dirigent.tasks.http.call import HttpPerformer
from dirigent.tasks.http.client import Bounds, Client
from dirigent.tasks.http.credentials import Credentials
from dirigent.tasks.http.oauth.authorize import AuthorizePerformer
from dirigent.tasks.http.oauth.pasted import Verifiers, key_of
from dirigent.tasks.http.oauth.tokens import Tokens
from dirigent.tasks.http.sources import Sources
from dirigent.tasks.http.tls.trust import Trust
from dirigent.tasks.mcp.call import McpPerformer
from dirigent.tasks.openapi.call import OpenApiPerformer
from dirigent.tasks.openapi.document import within
from dirigent.tasks.process import Surroundings


def http(around: Surrounding, parts: Parts) -> Performer:
    """Build the performer of `call: http`."""
    return HttpPerformer(client(around, parts), parts.vault, credentials(around, parts))


def openapi(around: Surrounding, parts: Parts) -> Performer:
    """Build the performer of `call: openapi`."""
    read = within(str(around.folder.absolute()))
    return OpenApiPerformer(client(around, parts), parts.vault, read, credentials(around, parts))


def authorize(around: Surrounding, parts: Parts) -> Performer:
    """Build who asks a person for the code of an authority."""
    return AuthorizePerformer(credentials(around, parts))


def container(around: Surrounding, parts: Parts) -> Performer:
    """Build the performer of `run: container`."""
    folder = str(around.folder.absolute())
    surroundings = Surroundings(around.settings.spool, folder, {})
    registries = Registries(os.environ, parts.vault)
    return ContainerPerformer(surroundings, registries, lambda: socket_of(os.environ))


def credentials(around: Surrounding, parts: Parts) -> Credentials:
    """Return what all calls of an engine share: a token is asked for once, whatever the call."""
    found = parts.shared.get("credentials")
    if not isinstance(found, Credentials):
        verifiers = Verifiers(lambda: key_of(around.settings.authorization_key))
        found = Credentials(parts.vault, Tokens(client(around, parts), parts.vault, verifiers))
        parts.shared["credentials"] = found
    return found


def mcp(around: Surrounding, parts: Parts) -> Performer:
    """Build the performer of `call: mcp`."""
    folder = str(around.folder.absolute())
    surroundings = Surroundings(around.settings.spool, folder, inherited())
    return McpPerformer(client(around, parts), credentials(around, parts), surroundings)


def a2a(around: Surrounding, parts: Parts) -> Performer:
    """Build the performer of `call: a2a`."""
    read = within(str(around.folder.absolute()))
    return A2aPerformer(client(around, parts), credentials(around, parts), read)


def source(around: Surrounding, parts: Parts) -> Sources:
    """Build who fetches the scripts that are not files of the stack."""
    return Sources(client(around, parts), credentials(around, parts))


def client(around: Surrounding, parts: Parts) -> Client:
    """Return the guarded client, as the stack's policy says that it calls."""
    if around.stack is None:
        return Client()
    network = around.stack.network
    bounds = Bounds(
        connect_seconds=network.connect_seconds or limits.HTTP_CONNECT_SECONDS,
        total_seconds=network.total_seconds or limits.HTTP_TOTAL_SECONDS,
    )
    trust = Trust(network, str(around.folder.absolute()), parts.vault)
    return Client(around.stack.hosts, bounds=bounds, trust=trust)
