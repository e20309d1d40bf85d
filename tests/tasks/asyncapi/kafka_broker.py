"""A broker of Kafka in a thread: what the client asks of one, and no more. Messages are kept as they came.

The structures on the wire are those of the client, so a mistake that both sides make is not found here; that
a real broker is spoken to was tried by hand (docs/decisions/0029-streams.md).
"""

import asyncio
import re
import struct
import threading
from collections import defaultdict
from io import BytesIO

from aiokafka.protocol import (
    admin,
    commit,
    coordination,
    fetch,
    group,
    metadata,
    offset,
    produce,
    transaction,
)

NODE = 1
UNKNOWN_TOPIC, UNKNOWN_MEMBER, REBALANCE = 3, 25, 27
# Base offset, length, epoch, magic, checksum and attributes stand before the number of records less one.
LAST_DELTA = 23
REQUESTS = (
    *(produce.ProduceRequest_v3, fetch.FetchRequest_v4, offset.OffsetRequest_v1, metadata.MetadataRequest_v1),
    *(commit.OffsetCommitRequest_v2, commit.OffsetFetchRequest_v1, coordination.FindCoordinatorRequest_v0),
    *(group.JoinGroupRequest_v0, group.HeartbeatRequest_v0, group.LeaveGroupRequest_v0),
    *(group.SyncGroupRequest_v0, transaction.InitProducerIdRequest_v0, admin.DeleteGroupsRequest_v0),
)
BY_KEY = {each.API_KEY: each for each in REQUESTS}
VERSIONS = 18


class Partition:
    """Batches with the offsets of their first messages; `end` is that of the next message."""

    def __init__(self):
        self.batches, self.end = [], 0

    def append(self, batch):
        first, count = self.end, struct.unpack_from(">i", batch, LAST_DELTA)[0] + 1
        self.batches.append((first + count, struct.pack(">q", first) + batch[8:]))
        self.end += count
        return first

    def since(self, number):
        return b"".join(batch for end, batch in self.batches if end > number)


class KafkaBroker:
    """One broker. `topics` are those that there are, `advertised` where it says that it listens.

    `committed` are offsets by group, topic and partition; `groups` the members by group.
    """

    def __init__(self, topics=("orders",), partitions=1, advertised=None):
        self.topics = {name: [Partition() for _ in range(partitions)] for name in topics}
        self.committed = {}
        self.groups = defaultdict(dict)
        self.generation = 0
        self.advertised = advertised
        self.asked = []
        self.writers = set()
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()
        self.server = self.call(asyncio.start_server(self._serve, "127.0.0.1", 0))
        self.port = self.server.sockets[0].getsockname()[1]

    def call(self, work):
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(60)

    def drop(self):
        """Break every connection."""
        self.call(self._drop())

    async def _drop(self):
        for writer in list(self.writers):
            writer.close()

    def close(self):
        self.call(self._close())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()
        self.loop.close()

    async def _close(self):
        self.server.close()
        await self._drop()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    async def _serve(self, reader, writer):
        self.writers.add(writer)
        try:
            while True:
                (size,) = struct.unpack(">i", await reader.readexactly(4))
                frame = BytesIO(await reader.readexactly(size))
                key, _, number, name = struct.unpack(">hhih", frame.read(10))
                frame.read(max(0, name))
                answer = await self._answered(key, frame)
                body = struct.pack(">i", number) + answer.encode()
                writer.write(struct.pack(">i", len(body)) + body)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self.writers.discard(writer)
            writer.close()

    async def _answered(self, key, frame):
        if key == VERSIONS:
            known = [(each.API_KEY, each.API_VERSION, each.API_VERSION) for each in REQUESTS]
            return admin.ApiVersionResponse_v0(0, [*known, (VERSIONS, 0, 0)])
        kind = BY_KEY[key]
        asked = kind.decode(frame)
        self.asked.append(kind.__name__)
        if kind is fetch.FetchRequest_v4:
            return await self._fetch(asked)
        name = kind.__name__.partition("Request")[0]
        return getattr(self, "on" + re.sub("([A-Z])", lambda found: f"_{found[1].lower()}", name))(asked)

    def on_metadata(self, asked):
        host, port = self.advertised or ("127.0.0.1", self.port)
        names = asked.topics or []
        parts = [
            (0, name, False, [(0, n, NODE, [NODE], [NODE]) for n in range(len(self.topics[name]))])
            if name in self.topics
            else (UNKNOWN_TOPIC, name, False, [])
            for name in names
        ]
        return metadata.MetadataResponse_v1([(NODE, host, port, None)], NODE, parts)

    def on_init_producer_id(self, asked):
        return transaction.InitProducerIdResponse_v0(0, 0, 7, 0)

    def on_produce(self, asked):
        given = []
        for topic, parts in asked.topics:
            given.append((topic, [(n, 0, self.topics[topic][n].append(batch), -1) for n, batch in parts]))
        return produce.ProduceResponse_v3(given, 0)

    async def _fetch(self, asked):
        until = self.loop.time() + asked.max_wait_time / 1000
        while True:
            found = [
                (topic, [self._from(topic, n, first) for n, first, _ in parts])
                for topic, parts in asked.topics
            ]
            if self.loop.time() >= until or any(part[-1] for _, parts in found for part in parts):
                return fetch.FetchResponse_v4(0, found)
            await asyncio.sleep(0.01)

    def _from(self, topic, number, first):
        log = self.topics[topic][number]
        return number, 0, log.end, log.end, None, log.since(first)

    def on_offset(self, asked):
        found = [
            (topic, [(n, 0, -1, 0 if at == -2 else self.topics[topic][n].end) for n, at in parts])
            for topic, parts in asked.topics
        ]
        return offset.OffsetResponse_v1(found)

    def on_find_coordinator(self, asked):
        host, port = self.advertised or ("127.0.0.1", self.port)
        return coordination.FindCoordinatorResponse_v0(0, NODE, host, port)

    def on_offset_fetch(self, asked):
        key = asked.consumer_group
        found = [
            (topic, [(n, self.committed.get((key, topic, n), -1), "", 0) for n in parts])
            for topic, parts in asked.topics
        ]
        return commit.OffsetFetchResponse_v1(found)

    def on_offset_commit(self, asked):
        known = (
            asked.consumer_group_generation_id == -1 or asked.consumer_id in self.groups[asked.consumer_group]
        )
        for topic, parts in asked.topics if known else ():
            for number, at, _ in parts:
                self.committed[asked.consumer_group, topic, number] = at
        code = 0 if known else UNKNOWN_MEMBER
        return commit.OffsetCommitResponse_v2(
            [(t, [(n, code) for n, *_ in parts]) for t, parts in asked.topics]
        )

    # Groups of one member: whoever joins is the leader, and the one before is told that it is no member.

    def on_join_group(self, asked):
        self.generation += 1
        member = asked.member_id or f"member-{self.generation}"
        (protocol, about), *_ = asked.group_protocols
        self.groups[asked.group] = {member: self.generation}
        return group.JoinGroupResponse_v0(0, self.generation, protocol, member, member, [(member, about)])

    def on_sync_group(self, asked):
        given = dict(asked.group_assignment)
        return group.SyncGroupResponse_v0(0, given.get(asked.member_id, b""))

    def on_heartbeat(self, asked):
        known = self.groups[asked.group].get(asked.member_id) == asked.generation_id
        return group.HeartbeatResponse_v0(0 if known else UNKNOWN_MEMBER)

    def on_leave_group(self, asked):
        self.groups[asked.group].pop(asked.member_id, None)
        return group.LeaveGroupResponse_v0(0)

    def on_delete_groups(self, asked):
        for name in asked.groups_names:
            self.committed = {key: at for key, at in self.committed.items() if key[0] != name}
        return admin.DeleteGroupsResponse_v0(0, [(name, 0) for name in asked.groups_names])
