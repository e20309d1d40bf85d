"""Start a process of our own that outlives no one: whoever starts it ends it."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence


def started(command: Sequence[str]) -> subprocess.Popen[bytes]:
    """Start a command in a session of its own, deaf and mute but for its errors."""
    return subprocess.Popen(
        list(command), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, start_new_session=True
    )
