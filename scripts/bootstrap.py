"""Make `.venv` with everything that is locked, on a machine that has Python 3.11 or newer and nothing else.

Standard library only, and readable by an older Python, which then looks for a newer one. Runs as often
as one likes: a stamp says that nothing has changed. `bootstrap.py run` for use, `bootstrap.py dev` for
work on the code.

Where `python3 -m venv` lacks pip (Debian without python3-venv), pip comes from the first of: a pip on
this machine that can install elsewhere, virtualenv, a wheel that the system ships, the package index
that pip is configured for (the wheel of requirements/pip.txt, its hash checked), Debian's archive.
"""

from __future__ import annotations

import configparser
import os
import shutil
import ssl
import subprocess
import sys
import tempfile
from base64 import b64encode
from hashlib import sha256
from html.parser import HTMLParser
from pathlib import Path
from urllib.error import URLError
from urllib.parse import unquote, urldefrag, urljoin, urlsplit, urlunsplit
from urllib.request import Request, urlopen

ROOT = Path(__file__).resolve().parents[1]
LOCKS = ROOT / "requirements"
OLDEST = (3, 11)
NAMES = ("python3", "python3.11", "python3.12", "python3.13", "python3.14", "python")
SYSTEM_WHEELS = ("/usr/share/python-wheels", "/usr/share/python3-wheels", "/usr/lib/python3/wheels")
SECONDS = 60


class Stop(Exception):
    """The bootstrap cannot go on; the text says what is wrong and what to do."""


def main() -> int:
    """Bring `.venv` up to date and return an exit code."""
    kind = sys.argv[1] if len(sys.argv) > 1 else "run"
    if kind not in {"run", "dev"}:
        print(f"bootstrap: `{kind}` is neither run nor dev", file=sys.stderr)
        return 2
    try:
        prepare(Path(os.environ.get("DIRIGENT_VENV", ROOT / ".venv")), kind)
    except Stop as stop:
        print(f"bootstrap: {stop}", file=sys.stderr)
        return 1
    return 0


def prepare(venv: Path, kind: str) -> None:
    """Make the environment, unless its stamp says that it stands as it should."""
    python = venv / "bin" / "python"
    wanted = stamp_of(kind)
    stamp = venv / f".locked-{kind}"
    if works(python) and stamp.is_file() and stamp.read_text() == wanted:
        return
    say(f"preparing {shown(venv)} ({kind}); this happens once, and again when a lock file changes")
    if not works(python):
        create(venv)
    if not run([python, "-m", "pip", "--version"]):
        fetch_pip(python)
    locks = ["build.txt", f"{kind}.txt"]
    say(f"installing what {' and '.join(locks)} lock, by hash")
    files = [word for lock in locks for word in ("-r", LOCKS / lock)]
    install(python, "--require-hashes", "--only-binary", ":all:", *files)
    say("installing dirigent itself from this folder")
    install(python, "--no-deps", "--no-build-isolation", "--no-index", "-e", ROOT)
    stamp.write_text(wanted)
    say("ready")


def stamp_of(kind: str) -> str:
    """Return the fingerprint of all that decides what is installed."""
    files = [LOCKS / "build.txt", LOCKS / f"{kind}.txt", ROOT / "pyproject.toml", Path(__file__)]
    whole = sha256(str(ROOT).encode())
    for path in files:
        whole.update(path.read_bytes())
    return whole.hexdigest()


def create(venv: Path) -> None:
    """Make an empty environment; pip is in it where the system can put it there."""
    python = find_python()
    say(f"using {python}")
    if venv.exists():
        shutil.rmtree(venv)
    if run([python, "-c", "import ensurepip"]) and run([python, "-m", "venv", venv]):
        return
    if run([python, "-m", "virtualenv", "--version"]) and run([python, "-m", "virtualenv", "-q", venv]):
        return
    say("this Python cannot put pip into a new environment; making it without")
    if not run([python, "-m", "venv", "--clear", "--without-pip", venv]):
        raise Stop(f"`{python} -m venv` failed. Install the venv module of that Python, then try again.")


def find_python() -> str:
    """Return a Python that is new enough: `$PYTHON`, the one that runs this, or one on the path."""
    check = f"import sys; sys.exit(sys.version_info < {OLDEST})"
    chosen = os.environ.get("PYTHON")
    for name in [chosen] if chosen else [sys.executable, *NAMES]:
        found = shutil.which(name)
        if found and run([found, "-c", check]):
            return found
    wanted = ".".join(str(number) for number in OLDEST)
    raise Stop(
        f"no Python {wanted} or newer is on the path (looked for {chosen or ', '.join(NAMES)}). "
        "Install one, or name it: make PYTHON=/path/to/python3.11 …"
    )


def fetch_pip(python: Path) -> None:
    """Put pip into an environment that has none."""
    for name in dict.fromkeys([sys.executable, "/usr/bin/python3", *NAMES]):
        found = shutil.which(name)
        command = [found, "-m", "pip", "--python", python, "install", "-q", "--require-hashes", "-r"]
        if found and run([found, "-m", "pip", "--version"]) and run([*command, LOCKS / "pip.txt"]):
            say(f"pip comes from {found}")
            return
    with tempfile.TemporaryDirectory() as folder:
        for source in (wheel_of_system, wheel_of_index, wheel_of_debian):
            wheel = source(Path(folder))
            if wheel and run([python, wheel / "pip", "install", "-q", "--no-index", "--no-deps", wheel]):
                say(f"pip comes from {wheel.name}, {source.__doc__.split('.', maxsplit=1)[0].lower()}")
                return
    raise Stop(
        "there is no pip, and none could be fetched. Install your system's venv package (Debian: "
        "python3-venv), or set PIP_INDEX_URL to a package index that can be reached, then try again."
    )


def wheel_of_system(_folder: Path) -> Path | None:
    """A wheel that the system ships."""
    wheels = [wheel for place in SYSTEM_WHEELS for wheel in Path(place).glob("pip-*-py3-none-any.whl")]
    return max(wheels, default=None)


def wheel_of_index(folder: Path) -> Path | None:
    """The wheel of the configured package index. Its hash is checked."""
    pinned, digest = LOCKS.joinpath("pip.txt").read_text().split(" ", maxsplit=1)
    file = f"{pinned.replace('==', '-')}-py3-none-any.whl"
    index = configured_index()
    if index is None:
        return None
    try:
        page = f"{index.rstrip('/')}/pip/"
        links = Links()
        links.feed(get(page).decode())
        link = next((href for href in links.found if urlsplit(href).path.endswith(f"/{file}")), None)
        content = get(urljoin(page, urldefrag(link).url)) if link else b""
    except (URLError, OSError, ValueError) as error:
        say(f"the package index cannot be reached: {getattr(error, 'reason', error)}")
        return None
    if sha256(content).hexdigest() not in digest:
        say(f"the package index has no {file} with the hash that requirements/pip.txt demands")
        return None
    wheel = folder / file
    wheel.write_bytes(content)
    return wheel


def wheel_of_debian(folder: Path) -> Path | None:
    """The wheel in the Debian archive. Checked by apt; needs no rights and changes nothing on the system."""
    if not shutil.which("apt-get") or not shutil.which("dpkg-deb"):
        return None
    fetch = ["apt-get", "-q", "download", "python3-pip-whl"]
    private = [f"-oDir::State::Lists={folder}/lists", f"-oDir::Cache={folder}/cache"]
    (folder / "lists" / "partial").mkdir(parents=True)
    (folder / "cache" / "archives" / "partial").mkdir(parents=True)
    if not run(fetch, folder):
        say("asking Debian's archive for pip")
        if not run(["apt-get", "-q", *private, "update"], folder) or not run([*fetch, *private], folder):
            return None
    archive = next(folder.glob("*.deb"))
    run(["dpkg-deb", "-x", archive, folder / "root"], folder)
    return next(folder.glob("root/**/pip-*-py3-none-any.whl"), None)


class Links(HTMLParser):
    """Collects the links of a page."""

    def __init__(self) -> None:
        """Start with none."""
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep the target of a link."""
        self.found += [value for name, value in attrs if tag == "a" and name == "href" and value]


def configured_index() -> str | None:
    """Return the package index that pip is told to use, by environment or by its files."""
    if os.environ.get("PIP_INDEX_URL"):
        return os.environ["PIP_INDEX_URL"]
    home = Path.home()
    named = os.environ.get("PIP_CONFIG_FILE")
    places = [Path(named)] if named else []
    places += [home / ".config" / "pip" / "pip.conf", home / ".pip" / "pip.conf", Path("/etc/pip.conf")]
    for place in places:
        parser = configparser.RawConfigParser()
        try:
            parser.read(place)
            return parser.get("global", "index-url")
        except configparser.Error:
            continue
    return None


def get(url: str) -> bytes:
    """Return what lies at an http(s) address; a user and password in it are sent as such."""
    parts = urlsplit(url)
    if parts.scheme not in {"https", "http"}:
        raise ValueError(f"`{parts.scheme}` is no way to reach a package index")
    bare = urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
    request = Request(bare, headers={"Accept": "text/html, */*"})
    if parts.username:
        pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        request.add_header("Authorization", f"Basic {b64encode(pair.encode()).decode()}")
    trust = ssl.create_default_context(cafile=os.environ.get("PIP_CERT") or None)
    with urlopen(request, timeout=SECONDS, context=trust) as answer:
        return answer.read()


def install(python: Path, *arguments: str | Path) -> None:
    """Run pip's install, and say what to do when it fails."""
    command = [python, "-m", "pip", "install", "-q", "--disable-pip-version-check", *arguments]
    if subprocess.run([str(word) for word in command], check=False).returncode:
        raise Stop(
            "pip could not install what is locked (its own words are above). Offline? Set PIP_INDEX_URL to "
            "an index that can be reached, or PIP_FIND_LINKS to a folder of wheels, then try again."
        )


def works(python: Path) -> bool:
    """Return whether an environment's Python starts and is new enough."""
    return python.exists() and run([python, "-c", f"import sys; sys.exit(sys.version_info < {OLDEST})"])


def run(command: list[str | Path | None], folder: Path = ROOT) -> bool:
    """Run a command in silence and return whether it succeeded."""
    try:
        done = subprocess.run(
            [str(word) for word in command],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
        )
    except OSError:
        return False
    return done.returncode == 0


def shown(path: Path) -> str:
    """Return a path as seen from the project's folder."""
    return os.path.relpath(path, ROOT)


def say(text: str) -> None:
    """Tell what happens."""
    print(f"bootstrap: {text}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
