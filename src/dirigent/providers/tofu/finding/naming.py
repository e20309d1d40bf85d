"""Names of providers and of the machines that they run on."""

from __future__ import annotations

import os
import re
import sys
from typing import Final

from dirigent.lang.stack.outside.providers import LOCAL
from dirigent.model.problem import refuse
from dirigent.model.record import dataclass

PLATFORM: Final = re.compile(r"[a-z0-9]+_[a-z0-9]+")
# What the system calls its processor, in the words of Go.
_PROCESSORS: Final = {
    "x86_64": "amd64",
    "aarch64": "arm64",
    "i386": "386",
    "i686": "386",
    "armv6l": "arm",
    "armv7l": "arm",
}
PROGRAM: Final = "terraform-provider-"


@dataclass(frozen=True, slots=True)
class Source:
    """The address of a provider: HOST/NAMESPACE/TYPE, in lower case."""

    host: str
    namespace: str
    type: str

    def __str__(self) -> str:
        """Return it as it is written in a lock."""
        return f"{self.host}/{self.namespace}/{self.type}"


def source_of(text: str) -> Source:
    """Return an address that the language has read already."""
    host, namespace, kind = text.split("/")
    return Source(host, namespace, kind)


def is_local(source: str) -> bool:
    """Return whether a source is the path of a program, and not an address."""
    return source.startswith(LOCAL)


def this_platform() -> str:
    """Return this machine as OS_ARCH, in the words of Go."""
    machine = os.uname().machine
    return f"{sys.platform}_{_PROCESSORS.get(machine, machine)}"


def read_platform(text: str) -> str:
    """Return OS_ARCH. Raises `Refusal` (E3021)."""
    if not PLATFORM.fullmatch(text):
        raise refuse(
            "E3021",
            f"`{text}` is no platform",
            "write OS_ARCH as `linux_amd64`, `linux_arm64` or `darwin_arm64`",
        )
    return text


def archive_name(source: Source, version: str, platform: str) -> str:
    """Return the name that the archive of a provider has everywhere."""
    return f"{PROGRAM}{source.type}_{version}_{platform}.zip"
