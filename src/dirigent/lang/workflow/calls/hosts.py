"""The hosts that a document names literally: the guarded client may reach them, and no other."""

from __future__ import annotations

import re
from typing import Final

from dirigent.lang.workflow.reading import Reading

_AUTHORITY: Final = re.compile(r"(https?)://(?:[^/?#@]*@)?([^/?#]+)", re.IGNORECASE)
_DEFAULT_PORTS: Final = {"http": ":80", "https": ":443"}


def note_host(reading: Reading, uri: str) -> None:
    """Note the host that stands literally in a URI."""
    match = _AUTHORITY.match(uri)
    if match and "{" not in match[2]:
        host = match[2].lower().removesuffix(_DEFAULT_PORTS[match[1].lower()])
        reading.hosts.setdefault(host)
