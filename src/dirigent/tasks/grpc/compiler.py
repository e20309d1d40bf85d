"""From the texts of proto files to their services: by the compiler of grpcio-tools, in a process of its own.

A text from outside never reaches the compiler's code inside the engine.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from google.protobuf.descriptor import MethodDescriptor, ServiceDescriptor
from google.protobuf.descriptor_pb2 import FileDescriptorSet
from google.protobuf.descriptor_pool import DescriptorPool

from dirigent.model.record import dataclass
from dirigent.tasks.grpc.sources import Sources
from dirigent.tasks.http.answer import excerpt
from dirigent.tasks.http.failure import misconfigured

COMPILE_SECONDS: Final = 60.0
KEPT: Final = 32


@dataclass(frozen=True, slots=True)
class Library:
    """What the files of one call describe; `services` are those of all of them, by full name."""

    place: str
    pool: DescriptorPool
    services: Mapping[str, ServiceDescriptor]

    def method(self, service: str, method: str) -> MethodDescriptor:
        """Return a method, by the full or the last name of its service. Raises `CallFailed`."""
        found = self.services.get(service)
        if found is None:
            ending = [each for name, each in self.services.items() if name.rpartition(".")[2] == service]
            found = ending[0] if len(ending) == 1 else None
        if found is None:
            known = ", ".join(self.services) or "none"
            raise misconfigured(f"`{self.place}` has no service `{service}`; it has: {known}")
        if method not in found.methods_by_name:
            known = ", ".join(found.methods_by_name) or "none"
            raise misconfigured(f"the service `{service}` has no method `{method}`; it has: {known}")
        return found.methods_by_name[method]


class Compiler:
    """Compiles and keeps what was compiled, by the content of all texts."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self._kept: dict[str, Library] = {}

    async def library(self, sources: Sources, place: str) -> Library:
        """Return what the sources describe, or raise `CallFailed` with what the compiler says."""
        digest = sha256()
        for part in (sources.main, *(part for item in sorted(sources.texts.items()) for part in item)):
            content = part.encode() if isinstance(part, str) else part
            digest.update(b"%d " % len(content) + content)
        key = digest.hexdigest()
        if key not in self._kept:
            content = await asyncio.to_thread(_compiled, sources, place)
            while len(self._kept) >= KEPT:
                self._kept.pop(next(iter(self._kept)))
            self._kept[key] = _library(content, place)
        return self._kept[key]


def _compiled(sources: Sources, place: str) -> bytes:
    with TemporaryDirectory(prefix="dirigent-proto-") as folder:
        root, result = Path(folder, "in"), Path(folder, "set")
        for name, text in sources.texts.items():
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text)
        options = ["--include_imports", f"--descriptor_set_out={result}", f"-I{root}"]
        command = [sys.executable, "-I", "-m", "grpc_tools.protoc", *options, str(root / sources.main)]
        try:
            done = subprocess.run(command, capture_output=True, timeout=COMPILE_SECONDS, check=False)
        except subprocess.TimeoutExpired:
            raise misconfigured(f"`{place}` was not compiled within {COMPILE_SECONDS:g} s") from None
        if done.returncode != 0 or not result.exists():
            said = done.stderr.decode(errors="replace").replace(f"{root}/", "")
            raise misconfigured(f"`{place}` cannot be compiled: {excerpt(said)}")
        return result.read_bytes()


def _library(content: bytes, place: str) -> Library:
    pool = DescriptorPool()
    services: dict[str, ServiceDescriptor] = {}
    # The compiler gives every file after those that it imports.
    for each in FileDescriptorSet.FromString(content).file:
        pool.AddSerializedFile(each.SerializeToString())
        found = pool.FindFileByName(each.name)
        services |= {service.full_name: service for service in found.services_by_name.values()}
    return Library(place, pool, services)
