"""Whether a replica is well: one check, with the reason when it is not."""

from __future__ import annotations

import asyncio
import re
from contextlib import suppress
from typing import Final

from dirigent.providers.services.definition import Definition
from dirigent.providers.services.steward.ports import LOOPBACK
from dirigent.providers.services.steward.process import Program, Say, ending

STATUS_LINE: Final = re.compile(rb"HTTP/\d\.\d (\d{3})\b")
STATUS_LINE_BYTES: Final = 8 * 1024
DRAIN_BYTES: Final = 64 * 1024
DRAIN_SECONDS: Final = 0.25


async def ailment(definition: Definition, port: int, say: Say) -> str | None:
    """Return None when the replica on this port is well, else what is wrong with it."""
    health = definition.health
    try:
        async with asyncio.timeout(health.timeout_seconds):
            match health.kind:
                case "http":
                    return await _http(port, health.path)
                case "tcp":
                    return await _tcp(port)
                case "command":
                    return await _command(definition, port, say)
                case _:
                    return None
    except TimeoutError:
        return f"health check took longer than {health.timeout_seconds:g} s"


async def _tcp(port: int) -> str | None:
    try:
        _, writer = await asyncio.open_connection(LOOPBACK, port)
    except OSError:
        return f"nothing listens on port {port}"
    writer.close()
    return None


async def _http(port: int, path: str) -> str | None:
    try:
        reader, writer = await asyncio.open_connection(LOOPBACK, port, limit=STATUS_LINE_BYTES)
    except OSError:
        return f"nothing listens on port {port}"
    try:
        writer.write(
            f"GET {path} HTTP/1.1\r\nHost: {LOOPBACK}:{port}\r\nUser-Agent: dirigent-health\r\n"
            "Accept: */*\r\nConnection: close\r\n\r\n".encode()
        )
        line = await reader.readline()
        # A connection that is cut while the answer is still coming fills the logs of many servers.
        with suppress(TimeoutError):
            async with asyncio.timeout(DRAIN_SECONDS):
                while await reader.read(DRAIN_BYTES):
                    pass
    except (OSError, ValueError) as reason:
        return f"GET {path} failed: {reason}"
    finally:
        writer.close()
    answer = STATUS_LINE.match(line)
    if answer is None:
        return f"GET {path} got no HTTP answer"
    # Success and redirection count as well; a redirect is not followed.
    return None if answer[1][:1] in b"23" else f"GET {path} answered {answer[1].decode()}"


async def _command(definition: Definition, port: int, say: Say) -> str | None:
    argv = definition.filled(definition.health.command, port)
    try:
        program = Program.begin(argv, definition.variables(port), definition.folder, say)
    except OSError as reason:
        return f"health command cannot run: {reason.strerror}: {reason.filename}"
    try:
        code = await program.ended()
    except asyncio.CancelledError:
        await program.end(0.0)
        raise
    return None if code == 0 else f"health command {ending(code)}"
