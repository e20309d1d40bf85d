"""Providers made of a few bytes: as files, as archives, in the layouts of mirrors."""

import base64
import hashlib
import io
import zipfile
from pathlib import Path

from dirigent.model.stack import ProviderSetup
from dirigent.providers.tofu.finding.places import Places

SOURCE = "registry.example/acme/thing"
PLATFORM = "linux_amd64"
PROGRAM = b"#!/bin/sh\nexit 0\n"
FILES = {"terraform-provider-thing_v1.2.0": PROGRAM, "LICENSE": b"as you like\n"}


def h1(files=None):
    """The hash of files as the definition says, by no code of ours."""
    found = files or FILES
    lines = "".join(hashlib.sha256(found[name]).hexdigest() + f"  {name}\n" for name in sorted(found))
    whole = hashlib.sha256(lines.encode()).digest()
    return "h1:" + base64.b64encode(whole).decode()


def zh(content):
    return "zh:" + hashlib.sha256(content).hexdigest()


def archive(files=None):
    """An archive, the same bytes for the same files."""
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as into:
        for name, content in (files or FILES).items():
            into.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)
    return whole.getvalue()


def lay(folder, files=None):
    for name, content in (files or FILES).items():
        place = Path(folder, name)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)
        place.chmod(0o755)
    return folder


def unpacked(root, version="1.2.0", files=None, platform=PLATFORM):
    return lay(Path(root, SOURCE, version, platform), files)


def packed(root, version="1.2.0", content=None, platform=PLATFORM):
    place = Path(root, SOURCE, f"terraform-provider-thing_{version}_{platform}.zip")
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(archive() if content is None else content)
    return place


def lock(folder, *hashes, version="1.2.0", platform=PLATFORM):
    lines = "".join(f"        - {each}\n" for each in hashes)
    Path(folder, "dirigent.lock").write_text(
        f"lock: 1\nproviders:\n  {SOURCE}:\n    version: {version}\n    hashes:\n"
        + (f"      {platform}:\n{lines}" if hashes else "      {}\n")
    )


def setup(version="", name="thing", source=SOURCE, of=""):
    return ProviderSetup(name, source, version, of=of)


def places(folder, **given):
    """A stack of its own, with a cache and the mirror beside it."""
    stack = Path(folder, "stack")
    stack.mkdir(exist_ok=True)
    found = {"mirrors": (stack / "providers",), "platform": PLATFORM, **given}
    return Places(stack, Path(folder, "cache"), **found)
