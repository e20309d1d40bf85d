"""Which URL and which address a call may go to. Pure: resolving and connecting happen elsewhere.

Rule 1: the host that is checked is the host that is connected to; there is one parser, this one.
Rule 2: every address of a name must be allowed, not only the first.
Rule 3: cloud metadata is denied always; other non-public addresses only to hosts that are declared.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final, TypeAlias
from urllib.parse import SplitResult, quote, urlsplit

from yarl import URL

from dirigent.model.record import dataclass
from dirigent.tasks.http.failure import forbidden, malformed

Address: TypeAlias = IPv4Address | IPv6Address

PORTS: Final = {"http": 80, "https": 443}
URL_CHARACTERS: Final = 16 * 1024

METADATA_NAMES: Final = frozenset(
    {
        "instance-data",
        "instance-data.ec2.internal",
        "metadata",
        "metadata.goog",
        "metadata.google.internal",
        "metadata.internal",
    }
)
# Amazon, Azure, Google, Oracle, Alibaba, and the credential and wire services beside them.
METADATA_ADDRESSES: Final = frozenset(
    ip_address(text)
    for text in (
        "100.100.100.200",
        "168.63.129.16",
        "169.254.169.254",
        "169.254.169.253",
        "169.254.170.2",
        "169.254.170.23",
        "192.0.0.192",
        "fd00:ec2::23",
        "fd00:ec2::253",
        "fd00:ec2::254",
        "fd20:ce::254",
    )
)
# Added to what `ipaddress` calls not global, because its table differs between Python releases.
NOT_PUBLIC: Final = tuple(
    ip_network(text)
    for text in ("100.64.0.0/10", "192.0.0.0/24", "192.88.99.0/24", "3fff::/20", "5f00::/16", "fec0::/10")
)
# Prefixes with an IPv4 address inside, and how many bits stand to the right of that address.
EMBEDDING: Final[tuple[tuple[IPv6Network, int], ...]] = (
    (IPv6Network("::ffff:0:0/96"), 0),
    (IPv6Network("::/96"), 0),
    (IPv6Network("64:ff9b::/96"), 0),
    (IPv6Network("64:ff9b:1::/48"), 0),
    (IPv6Network("2002::/16"), 80),
)
TEREDO: Final = IPv6Network("2001::/32")

_CONTROL = re.compile(r"[\x00-\x20\x7f\\]")
_HOST_NAME = re.compile(r"[a-z0-9_]([a-z0-9_.-]*[a-z0-9_])?\.?")
_NUMERIC_LABEL = re.compile(r"[0-9]+|0x[0-9a-f]*")
_SAFE = "%/:=&?~+!$,;'@()*[]-._"


@dataclass(frozen=True, slots=True)
class Target:
    """A URL that may be called if its addresses pass. `host` is ASCII, lower case, without brackets.

    `declared` says that the host, or host and port, is named in the policy or the document.
    """

    url: URL
    host: str
    port: int
    declared: bool

    @property
    def origin(self) -> tuple[str, str, int]:
        """Return scheme, host and port: what a credential is bound to."""
        return (self.url.scheme, self.host, self.port)

    @property
    def place(self) -> str:
        """Return `host:port` as it is declared under `policy.http.hosts`."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def target_of(text: str, hosts: Sequence[str]) -> Target:
    """Return the checked target of a URL, or raise `CallFailed` with the remedy in the detail."""
    parts = _split(text)
    host = _host(parts.hostname or "")
    port = _port(parts)
    declared = is_declared(host, port, hosts)
    written = f"[{host}]" if ":" in host else host
    url = URL.build(
        scheme=parts.scheme,
        authority=written if port == PORTS[parts.scheme] else f"{written}:{port}",
        path=quote(parts.path, safe=_SAFE) or "/",
        query_string=quote(parts.query, safe=_SAFE),
        encoded=True,
    )
    target = Target(url, host, port, declared)
    if host.rstrip(".") in METADATA_NAMES:
        raise forbidden(f"`{target.place}` is a cloud metadata service; calls to it are always refused")
    if parts.scheme == "http" and not declared:
        raise forbidden(
            f"plain http to `{target.place}` is refused; use https, "
            f"or declare `{target.place}` under `policy.http.hosts`"
        )
    return target


def permit(target: Target, addresses: Iterable[str]) -> tuple[str, ...]:
    """Return the addresses if all of them may be connected to, else raise `CallFailed`."""
    allowed = []
    for text in addresses:
        try:
            address = ip_address(text)
        except ValueError:
            # A zone index (`fe80::1%eth0`) or worse; nothing that a public name resolves to.
            raise forbidden(f"`{target.host}` resolves to `{text}`, which is not a plain address") from None
        meanings = (address, *embedded(address))
        if any(one in METADATA_ADDRESSES for one in meanings):
            raise forbidden(
                f"`{target.host}` is the cloud metadata address `{address}`; calls to it are always refused"
            )
        if not target.declared and not all(is_public(one) for one in meanings):
            raise forbidden(
                f"`{target.host}` is the non-public address `{address}`; "
                f"declare `{target.place}` under `policy.http.hosts` if this stack may call it"
            )
        allowed.append(str(address))
    return tuple(allowed)


def literal(host: str) -> str | None:
    """Return the address when the host is one, else None."""
    try:
        return str(ip_address(host))
    except ValueError:
        return None


def is_public(address: Address) -> bool:
    """Return whether an address is one of the open internet, for a single host."""
    if not address.is_global or address.is_multicast or address.is_unspecified or address.is_link_local:
        return False
    if isinstance(address, IPv4Address) and address.is_reserved:
        return False
    return not any(address.version == network.version and address in network for network in NOT_PUBLIC)


def embedded(address: Address) -> tuple[IPv4Address, ...]:
    """Return the IPv4 addresses that an IPv6 address stands for (mapped, translated, tunnelled)."""
    if isinstance(address, IPv4Address):
        return ()
    bits = int(address)
    found = [IPv4Address(bits >> shift & 0xFFFFFFFF) for net, shift in EMBEDDING if address in net]
    if address in TEREDO:
        # The server stands in the clear, the client with every bit turned over.
        found += [IPv4Address(bits >> 64 & 0xFFFFFFFF), IPv4Address(bits & 0xFFFFFFFF ^ 0xFFFFFFFF)]
    return tuple(found)


def is_declared(host: str, port: int, hosts: Sequence[str]) -> bool:
    """Return whether `host` or `host:port` is among the declared ones.

    Case, a last dot, and whether a name is written in its own letters or in ASCII make no difference.
    """
    bare = host.rstrip(".")
    names = {bare, f"{bare}:{port}"} | ({f"[{bare}]", f"[{bare}]:{port}"} if ":" in bare else set())
    return any(_declared_form(entry) in names for entry in hosts)


def _declared_form(entry: str) -> str:
    if entry.isascii():
        return entry.lower().rstrip(".")
    name, sign, port = entry.partition(":")
    try:
        return (URL.build(scheme="https", host=name).raw_host or "").lower().rstrip(".") + sign + port
    except ValueError:
        return ""


def _split(text: str) -> SplitResult:
    if len(text) > URL_CHARACTERS:
        raise malformed(f"the URL has {len(text)} characters; the limit is {URL_CHARACTERS}")
    if _CONTROL.search(text):
        raise malformed("the URL holds a space, a backslash or a control character; percent-encode it")
    try:
        parts = urlsplit(text)
    except ValueError as error:
        raise malformed(f"the URL cannot be read: {error}") from None
    if parts.scheme not in PORTS:
        raise forbidden(f"the scheme `{parts.scheme}` is not called; use https (or http to a declared host)")
    if "@" in parts.netloc:
        raise malformed("the URL holds a user name or password; use `authentication` instead")
    if not parts.hostname:
        raise malformed("the URL names no host")
    if "[" in parts.netloc and ":" not in parts.hostname:
        raise malformed(f"`{parts.hostname}` is not an IPv6 address")
    return parts


def _port(parts: SplitResult) -> int:
    try:
        port = parts.port
    except ValueError as error:
        raise malformed(f"the URL cannot be read: {error}") from None
    if port == 0:
        raise malformed("the URL names port 0, which nothing can listen on")
    return PORTS[parts.scheme] if port is None else port


def _host(written: str) -> str:
    """Return the host as it is resolved: IDNA applied, odd spellings of addresses refused."""
    if ":" in written:
        found = literal(written)
        if found is None or "%" in written:
            raise malformed(f"`{written}` is not an IPv6 address")
        return found
    try:
        host = (URL.build(scheme="https", host=written).raw_host or "").lower()
    except ValueError:
        raise malformed(f"`{written}` is not a host name") from None
    if not _HOST_NAME.fullmatch(host) or ".." in host:
        raise malformed(f"`{written}` is not a host name")
    found = literal(host.rstrip("."))
    if found is not None:
        return found
    if _NUMERIC_LABEL.fullmatch(host.rstrip(".").rpartition(".")[2]):
        # Resolvers read `0x7f.1`, `017700000001` and `2130706433` as addresses; people do not.
        raise forbidden(f"`{written}` is an odd spelling of an address; write four decimal numbers")
    return host
