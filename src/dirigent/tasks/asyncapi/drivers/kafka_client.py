"""aiokafka, its connections led through the guard: a cluster names brokers, and we say where we go."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Final, TypeVar

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.abc import AbstractTokenProvider
from aiokafka.client import AIOKafkaClient, ConnectionGroup
from aiokafka.conn import AIOKafkaConnection, create_conn
from aiokafka.errors import KafkaError

from dirigent.model import limits
from dirigent.model.problem import Refusal
from dirigent.tasks.asyncapi.site import Site
from dirigent.tasks.http.authentication import Bearer
from dirigent.tasks.http.call import unrevealed
from dirigent.tasks.http.failure import CallFailed, broken
from dirigent.tasks.http.guard import Target
from dirigent.tasks.http.tls.trust import named

REQUEST_SECONDS: Final = 40.0
# How AsyncAPI names the ways to log in with a password, and how Kafka does; without a word it is PLAIN.
MECHANISMS: Final = {"scramSha256": "SCRAM-SHA-256", "scramSha512": "SCRAM-SHA-512"}
Given = TypeVar("Given")


class _Token(AbstractTokenProvider):
    def __init__(self, token: str) -> None:
        self._token = token

    async def token(self) -> str:
        """Return the token of the call."""
        return self._token


class GuardedClient(AIOKafkaClient):
    """Connects to brokers that the guard lets pass, at the addresses that were checked."""

    def __init__(self, site: Site) -> None:
        """Begin at the server of a site."""
        address = f"[{site.addresses[0]}]" if ":" in site.addresses[0] else site.addresses[0]
        login, tls = site.login, site.tls
        token = isinstance(site.authentication, Bearer)
        mechanism = next((MECHANISMS[each] for each in site.place.security if each in MECHANISMS), "PLAIN")
        super().__init__(
            bootstrap_servers=f"{address}:{site.place.server.port}",
            client_id=f"dirigent-{site.session[:16]}",
            request_timeout_ms=int(REQUEST_SECONDS * 1000),
            security_protocol=("SASL_" if login else "") + ("PLAINTEXT" if tls is None else "SSL"),
            ssl_context=tls,
            sasl_mechanism="OAUTHBEARER" if token else mechanism,
            sasl_plain_username=login[0] if login else None,
            sasl_plain_password=login[1] if login else None,
            sasl_oauth_token_provider=_Token(login[1]) if login and token else None,
        )
        self._site = site
        self._one_at_a_time = asyncio.Lock()
        self._refusal: asyncio.Future[CallFailed] = asyncio.get_running_loop().create_future()

    async def begin(self) -> None:
        """Connect, and check every broker of the cluster; raise `CallFailed` before anything is sent."""
        place = self._site.name
        try:
            async with asyncio.timeout(limits.HTTP_CONNECT_SECONDS):
                await self.bootstrap()
        except TimeoutError:
            raise broken(f"no connection to `{place}` in time", status=408, sent=False) from None
        except (KafkaError, OSError) as error:
            words, tls = "cannot be connected to, or does not let us in", self._site.tls
            # Without a log-in that a broker could refuse, it is our certificate that it does not like.
            turned_away = tls is not None and tls.stood and self._site.login is None
            raise self._site.lost(
                ConnectionResetError() if turned_away else error, words, sent=False
            ) from None
        for broker in sorted(self.cluster.brokers(), key=lambda each: str(each.nodeId)):
            await self._checked(broker.host, broker.port)

    async def unless_refused(self, work: Awaitable[Given]) -> Given:
        """Return what work gives; raise `CallFailed` as soon as the cluster leads where we do not go."""
        task = asyncio.ensure_future(work)
        try:
            either: list[asyncio.Future[Given] | asyncio.Future[CallFailed]] = [task, self._refusal]
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
            if self._refusal.done():
                raise self._refusal.result()
            return task.result()
        finally:
            if not task.done():
                task.cancel()
                await asyncio.wait({task})

    async def _checked(self, host: str, port: int) -> tuple[Target, str]:
        name = f"[{host}]" if ":" in host else host
        scheme = "https" if self._site.place.server.tls else "http"
        target, addresses = await self._site.client.reach(f"{scheme}://{name}:{port}/", self._site.hosts)
        return target, addresses[0]

    async def _get_conn(
        self, node_id: int, *, group: int = ConnectionGroup.DEFAULT, **_: bool
    ) -> AIOKafkaConnection | None:
        """Return the connection to a broker, None when there can be none now. Called by the client itself."""
        async with self._one_at_a_time:
            known = self._conns.get((node_id, group))
            if known is not None and known.connected():
                return known
            self._conns.pop((node_id, group), None)
            broker = self.cluster.broker_metadata(node_id)
            try:
                made = None if broker is None else await self._connection(broker.host, broker.port)
            except CallFailed as refusal:
                if not self._refusal.done():
                    self._refusal.set_result(refusal)
                return None
            except (OSError, TimeoutError, KafkaError):
                made = None
            if made is None:
                self.force_metadata_update()
                return None
            self._conns[node_id, group] = made
            return made

    async def _connection(self, host: str, port: int) -> AIOKafkaConnection:
        target, address = await self._checked(host, port)
        trust, secure = self._site.client.trust, self._site.place.server.tls
        try:
            tls = await asyncio.to_thread(named, trust, target) if secure else None
        except Refusal as refusal:
            raise unrevealed(refusal) from None
        return await create_conn(
            address,
            port,
            client_id=self._client_id,
            request_timeout_ms=self._request_timeout_ms,
            ssl_context=tls,
            security_protocol=self._security_protocol,
            on_close=self._on_connection_closed,
            max_idle_ms=self._connections_max_idle_ms,
            sasl_mechanism=self._sasl_mechanism,
            sasl_plain_username=self._sasl_plain_username,
            sasl_plain_password=self._sasl_plain_password,
            sasl_oauth_token_provider=self._sasl_oauth_token_provider,
        )


class GuardedProducer(AIOKafkaProducer):
    """Sends each message once per call, however often it has to be said."""

    def __init__(self, client: GuardedClient) -> None:
        """Use a client in place of its own."""
        super().__init__(acks="all", enable_idempotence=True)
        client.cluster = self._metadata
        self.client: AIOKafkaClient = client
        self._sender.client = client


class GuardedConsumer(AIOKafkaConsumer):
    """Takes messages of a group, and commits only what it is told to."""

    def __init__(self, client: GuardedClient, group: str, reset: str) -> None:
        """Use a client in place of its own."""
        super().__init__(group_id=group, auto_offset_reset=reset, enable_auto_commit=False)
        self._client = client
