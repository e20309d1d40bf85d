"""A registry, a network mirror, and what lies behind them: pages by URL, with faults planted on command."""

import hashlib
import json
from functools import cache

from pysequoia import SignatureMode, Tsk, sign

from dirigent.providers.tofu.finding.web.asking import Answer, Unreachable
from providers.tofu.finding.samples import FILES, archive, h1, zh

HOST = "registry.example"
FILES_AT = "https://files.example/thing"
BOTH = ("linux_amd64", "darwin_arm64")


@cache
def key(name="publisher"):
    """A key, the same one for all tests of a process."""
    return Tsk.generate(user_id=f"{name} <{name}@example.com>")


def armor(name="publisher"):
    return str(key(name).extract_certificate())


def files_of(version, platform):
    return {f"terraform-provider-thing_v{version}": f"#!/bin/sh\n# {version} {platform}\n".encode(), **EXTRA}


EXTRA = {name: content for name, content in FILES.items() if name == "LICENSE"}


def archive_of(version, platform):
    return archive(files_of(version, platform))


def h1_of(version, platform="linux_amd64"):
    return h1(files_of(version, platform))


def zh_of(version, platform="linux_amd64"):
    return zh(archive_of(version, platform))


class Pages:
    """What lies where. `asked` is every URL that was asked for, in order."""

    def __init__(self):
        self.pages = {}
        self.asked = []

    def lay(self, url, content, status=200):
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.pages[url] = (status, body)

    def change(self, url, change):
        """Plant a fault: `change` gets the JSON of a page and returns another, or changes it in place."""
        content = json.loads(self.pages[url][1])
        self.lay(url, change(content) or content)

    async def get(self, url):
        self.asked.append(url)
        status, body = self.pages.get(url, (404, b"not found"))
        if status == 0:
            raise Unreachable(body.decode())
        return Answer(status, body, url)

    async def fetch(self, url, into):
        answer = await self.get(url)
        if answer.status == 200:
            into.write_bytes(answer.body)
        return answer.status


def service(host=HOST):
    return f"https://{host}/v1/providers/"


def download(version="1.2.0", platform="linux_amd64", host=HOST):
    return f"{service(host)}acme/thing/{version}/download/{platform.replace('_', '/')}"


def sums(version, digests=None):
    found = digests or {each: hashlib.sha256(archive_of(version, each)).hexdigest() for each in BOTH}
    return "".join(
        f"{digest}  terraform-provider-thing_{version}_{each}.zip\n" for each, digest in found.items()
    ).encode()


def signed(content, name="publisher"):
    return sign(key(name).signer(), content, mode=SignatureMode.DETACHED, armor=False)


def registry(*versions, host=HOST, keys=("publisher",), at=FILES_AT):
    """A registry with one provider, everything as it should be."""
    found = Pages()
    found.lay(f"https://{host}/.well-known/terraform.json", {"providers.v1": "/v1/providers/"})
    listed = [
        {
            "version": version,
            "protocols": ["5.0", "6.0"],
            "platforms": [dict(zip(("os", "arch"), each.split("_"), strict=True)) for each in BOTH],
        }
        for version in versions
    ]
    found.lay(f"{service(host)}acme/thing/versions", {"versions": listed})
    for version in versions:
        listing = sums(version)
        found.lay(f"{at}/{version}/SHA256SUMS", listing)
        found.lay(f"{at}/{version}/SHA256SUMS.sig", signed(listing, *keys[:1]))
        for platform in BOTH:
            content = archive_of(version, platform)
            name = f"terraform-provider-thing_{version}_{platform}.zip"
            found.lay(f"{at}/{version}/{name}", content)
            found.lay(
                download(version, platform, host),
                {
                    "filename": name,
                    "download_url": f"{at}/{version}/{name}",
                    "shasum": hashlib.sha256(content).hexdigest(),
                    "shasums_url": f"{at}/{version}/SHA256SUMS",
                    "shasums_signature_url": f"{at}/{version}/SHA256SUMS.sig",
                    "signing_keys": {"gpg_public_keys": [{"ascii_armor": armor(each)} for each in keys]},
                },
            )
    return found


def network_mirror(url, source, *versions):
    """A network mirror with one provider."""
    found = Pages()
    found.lay(f"{url}{source}/index.json", {"versions": {each: {} for each in versions}})
    for version in versions:
        archives = {
            each: {"url": f"{version}_{each}.zip", "hashes": ["zz:other", h1_of(version, each)]}
            for each in BOTH
        }
        found.lay(f"{url}{source}/{version}.json", {"archives": archives})
        for each in BOTH:
            found.lay(f"{url}{source}/{version}_{each}.zip", archive_of(version, each))
    return found
