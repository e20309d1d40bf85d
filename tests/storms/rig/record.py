"""The record of a campaign: a small file that says what was tried, on what, and what came of it."""

import json
import os
import platform
import subprocess
import time
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).parents[3]
FOLDER = ROOT / "docs" / "campaigns"


def commit():
    """Return the commit of the checkout, with a plus sign when it was changed since."""
    words = ["git", "-C", str(ROOT), "describe", "--always", "--dirty=+", "--exclude=*"]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    return done.stdout.strip() or "unknown"


def changed():
    """Return the files that differ from the commit: a record must say what it stands on."""
    words = ["git", "-C", str(ROOT), "status", "--porcelain", "--untracked-files=no"]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    return [line[3:] for line in done.stdout.splitlines()]


class Watch:
    """Measures what a campaign takes, its children included."""

    def __init__(self):
        self.began, self.times = time.monotonic(), os.times()

    def taken(self):
        now = os.times()
        cpu = sum(now[:4]) - sum(self.times[:4])
        return {"seconds": round(time.monotonic() - self.began, 1), "cpu_seconds": round(cpu, 1)}


def write(name, result, watch, **asked):
    """Write the record of a campaign and return its path."""
    record = {
        "name": name,
        "command": "make campaign NAME=" + " ".join([name, *(f"{k.upper()}={v}" for k, v in asked.items())]),
        "commit": commit(),
        "date": datetime.now(tz=UTC).date().isoformat(),
        "machine": f"{platform.system()} {platform.release()}, {os.cpu_count()} cores",
        **watch.taken(),
        "result": result,
    }
    FOLDER.mkdir(exist_ok=True)
    path = FOLDER / f"{name}.json"
    path.write_text(json.dumps(record, indent=2, default=str) + "\n")
    return path
