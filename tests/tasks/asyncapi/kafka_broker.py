"""A broker of Kafka in a thread: what the client asks of one, and no more. Messages are kept as they came.

The structures on the wire are those of the client, so a mistake that both sides make is not found here; that
a real broker is spoken to was tried by hand (docs/decisions/0029-streams.md).
"""

import asyncio
import re
import struct
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
from aiokafka.record.default_records import DefaultRecordBatchBuilder

from tasks.asyncapi.threaded import Threaded

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

    `committed` are offsets by group, topic and partition. What is `due` is
    appended to the first topic when it was released and somebody has begun to listen.
    """

    def __init__(self, topics=("orders",), partitions=1, advertised=None):
        self.topics = {name: [Partition() for _ in range(partitions)] for name in topics}
        self.committed = {}
        self.groups = Groups(self)
        self.advertised = advertised
        self.asked, self.due, self.released = [], [], False
        self.net = Threaded(self._serve)
        self.port = self.net.port

    @property
    def place(self):
        return self.advertised or ("127.0.0.1", self.port)

    def close(self):
        self.net.close()

    def release(self):
        """Append what is due, as soon as somebody has begun to listen."""
        self.released = True
        self.net.loop.call_soon_threadsafe(self.append_due)

    def append_due(self):
        if self.released and self.committed:
            for content in self.due:
                batch = DefaultRecordBatchBuilder(2, 0, 0, -1, -1, -1, 1 << 16)
                batch.append(0, 0, None, content, [])
                next(iter(self.topics.values()))[0].append(bytes(batch.build()))
            self.due = []

    async def _serve(self, reader, writer):
        while True:
            (size,) = struct.unpack(">i", await reader.readexactly(4))
            frame = BytesIO(await reader.readexactly(size))
            key, _, number, name = struct.unpack(">hhih", frame.read(10))
            frame.read(max(0, name))
            answer = await self._answered(key, frame)
            body = struct.pack(">i", number) + answer.encode()
            writer.write(struct.pack(">i", len(body)) + body)
            await writer.drain()

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
        verb = "on" + re.sub("([A-Z])", lambda found: f"_{found[1].lower()}", name)
        return getattr(self if hasattr(self, verb) else self.groups, verb)(asked)

    def on_metadata(self, asked):
        host, port = self.place
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
        until = self.net.loop.time() + asked.max_wait_time / 1000
        while True:
            found = [
                (topic, [self._from(topic, n, first) for n, first, _ in parts])
                for topic, parts in asked.topics
            ]
            if self.net.loop.time() >= until or any(part[-1] for _, parts in found for part in parts):
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


class Groups:
    """Groups of one member: whoever joins is the leader, and the one before is told that it is no member."""

    def __init__(self, broker):
        self._broker = broker
        self.members = defaultdict(dict)
        self.generation = 0

    def on_find_coordinator(self, asked):
        host, port = self._broker.place
        return coordination.FindCoordinatorResponse_v0(0, NODE, host, port)

    def on_offset_fetch(self, asked):
        key = asked.consumer_group
        found = [
            (topic, [(n, self._broker.committed.get((key, topic, n), -1), "", 0) for n in parts])
            for topic, parts in asked.topics
        ]
        return commit.OffsetFetchResponse_v1(found)

    def on_offset_commit(self, asked):
        alone = asked.consumer_group_generation_id == -1
        known = alone or asked.consumer_id in self.members[asked.consumer_group]
        for topic, parts in asked.topics if known else ():
            for number, at, _ in parts:
                self._broker.committed[asked.consumer_group, topic, number] = at
        self._broker.append_due()
        code = 0 if known else UNKNOWN_MEMBER
        return commit.OffsetCommitResponse_v2(
            [(t, [(n, code) for n, *_ in parts]) for t, parts in asked.topics]
        )

    def on_join_group(self, asked):
        self.generation += 1
        member = asked.member_id or f"member-{self.generation}"
        (protocol, about), *_ = asked.group_protocols
        self.members[asked.group] = {member: self.generation}
        return group.JoinGroupResponse_v0(0, self.generation, protocol, member, member, [(member, about)])

    def on_sync_group(self, asked):
        given = dict(asked.group_assignment)
        return group.SyncGroupResponse_v0(0, given.get(asked.member_id, b""))

    def on_heartbeat(self, asked):
        known = self.members[asked.group].get(asked.member_id) == asked.generation_id
        return group.HeartbeatResponse_v0(0 if known else UNKNOWN_MEMBER)

    def on_leave_group(self, asked):
        self.members[asked.group].pop(asked.member_id, None)
        return group.LeaveGroupResponse_v0(0)

    def on_delete_groups(self, asked):
        for name in asked.groups_names:
            self._broker.committed = {key: at for key, at in self._broker.committed.items() if key[0] != name}
        return admin.DeleteGroupsResponse_v0(0, [(name, 0) for name in asked.groups_names])
