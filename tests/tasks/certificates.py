"""An authority made in the test, and certificates that it vouches for, or does not."""

from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

PEM = serialization.Encoding.PEM
PHRASE = "open sesame, please"
DAY = timedelta(days=1)
HERE = x509.IPAddress(ip_address("127.0.0.1"))
ELSEWHERE = x509.DNSName("elsewhere.example")
USAGE = "digital_signature content_commitment key_encipherment data_encipherment key_agreement"


def name_of(text):
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def drawn_key():
    return ec.generate_private_key(ec.SECP256R1())


def certified(name, key, issuer, issuer_key, *, authority=False, known_as=HERE, days=(-1, 2)):
    """Return a certificate, valid from and until so many days from now."""
    now = datetime.now(UTC)
    build = x509.CertificateBuilder().subject_name(name_of(name)).issuer_name(name_of(issuer))
    build = build.public_key(key.public_key()).serial_number(x509.random_serial_number())
    build = build.not_valid_before(now + days[0] * DAY).not_valid_after(now + days[1] * DAY)
    build = build.add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
    own = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    of_issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key())
    build = build.add_extension(own, critical=False).add_extension(of_issuer, critical=False)
    if authority:
        usage = dict.fromkeys(f"{USAGE} encipher_only decipher_only".split(), False)
        build = build.add_extension(x509.KeyUsage(key_cert_sign=True, crl_sign=True, **usage), critical=True)
    names = x509.SubjectAlternativeName([known_as])
    return build.add_extension(names, critical=False).sign(issuer_key, hashes.SHA256())


def key_text(key, phrase=""):
    lock = serialization.NoEncryption()
    if phrase:
        lock = serialization.BestAvailableEncryption(phrase.encode())
    return key.private_bytes(PEM, serialization.PrivateFormat.PKCS8, lock)


def written(folder):
    """Fill a folder: `ca`, `server`, `client`, `other` of it; `elsewhere`, `expired`, `early`; `stranger`."""
    root, foreign = drawn_key(), drawn_key()
    (folder / "ca.pem").write_bytes(certified("ca", root, "ca", root, authority=True).public_bytes(PEM))
    odd = {"elsewhere": {"known_as": ELSEWHERE}, "expired": {"days": (-3, -1)}, "early": {"days": (1, 3)}}
    for name in ("server", "client", "other", "elsewhere", "expired", "early", "stranger"):
        key = drawn_key()
        issuer = foreign if name == "stranger" else root
        certificate = certified(name, key, "ca", issuer, **odd.get(name, {})).public_bytes(PEM)
        (folder / f"{name}.pem").write_bytes(certificate)
        (folder / f"{name}.key").write_bytes(key_text(key))
        (folder / f"{name}.locked").write_bytes(key_text(key, PHRASE))
        (folder / f"{name}.both").write_bytes(certificate + key_text(key))
    (folder / "rubbish.pem").write_text("not PEM")
    return folder
