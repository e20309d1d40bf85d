"""PostgreSQL servers of our own: on loopback, on a free port, below the folder for temporary files."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

USER = "dirigent"
SECONDS = 60
PORTS = range(11_000, 19_000)
TURN = count()
# Kills of processes are tried here, not power cuts: what a killed server wrote is in the kernel.
SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "fsync": "off",
    "max_connections": "100",
    "shared_buffers": "32MB",
    "autovacuum_naptime": "5s",
    "log_min_messages": "warning",
}
_number = count(1)


def program(name: str) -> Path | None:
    """Return the path of one of the server's programs, None where it is not installed."""
    folder = max(Path("/usr/lib/postgresql").glob("*/bin"), default=None)
    if folder is not None and (folder / name).exists():
        return folder / name
    found = shutil.which(name)
    return Path(found) if found else None


def absent() -> str:
    """Return why no server can be started here, empty when one can."""
    if not all(map(program, ("initdb", "postgres", "pg_isready", "psql"))):
        return "PostgreSQL is not installed (Debian: apt-get install postgresql)"
    if os.getuid() == 0 and shutil.which("setpriv") is None:
        return "PostgreSQL does not run as root, and there is no setpriv to be somebody else"
    return ""


def free_port() -> int:
    """Return a port that nobody listens at, and that the kernel gives to nobody who asks for any."""
    start = os.getpid() * 7 + next(TURN) * 97
    for offset in range(PORTS.stop - PORTS.start):
        port = PORTS.start + (start + offset) % (PORTS.stop - PORTS.start)
        with socket.socket() as asked, suppress(OSError):
            asked.bind(("127.0.0.1", port))
            return port
    raise AssertionError("no port is free")


@dataclass
class Server:
    """One server with its folder. `start` and `stop` as often as one likes; `remove` at the end."""

    folder: Path
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    @classmethod
    def made(cls) -> Server:
        """Make the folder of a server and return it, stopped."""
        server = cls(Path(tempfile.mkdtemp(prefix="dirigent-pg-")))
        server.folder.chmod(0o755)
        (server.folder / "data").mkdir(mode=0o700)
        if os.getuid() == 0:
            shutil.chown(server.folder, "postgres", "postgres")
            shutil.chown(server.folder / "data", "postgres", "postgres")
        options = ("-U", USER, "--auth=trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync")
        server.run("initdb", "-D", str(server.folder / "data"), *options)
        return server

    def standby(self) -> Server:
        """Return a standby of this server, stopped. It may follow, and be promoted."""
        other = Server(Path(tempfile.mkdtemp(prefix="dirigent-pg-")))
        other.folder.chmod(0o755)
        if os.getuid() == 0:
            shutil.chown(other.folder, "postgres", "postgres")
        source = ("-h", "127.0.0.1", "-p", str(self.port), "-U", USER)
        other.run(
            "pg_basebackup", *source, "-D", str(other.folder / "data"), "-R", "-X", "stream", "-c", "fast"
        )
        return other

    def promote(self) -> None:
        """Make a standby take writes, alone."""
        self.sql("select pg_promote(true, 60)")
        self.sql("alter system set synchronous_standby_names = ''")
        self.sql("select pg_reload_conf()")

    def run(self, name: str, *words: str) -> None:
        """Run a program of the server's, as the server's user."""
        done = subprocess.run(
            [program(name), *words], capture_output=True, text=True, check=False, **self._somebody()
        )
        assert done.returncode == 0, f"{name}: {done.stderr or done.stdout}"

    def start(self, **settings: str) -> None:
        """Start it and wait until it answers."""
        words = [f"-c{name}={value}" for name, value in {**SETTINGS, **settings}.items()]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [program("postgres"), "-D", str(self.folder / "data"), "-p", str(self.port), *words],
                stdout=log, stderr=log, **self._somebody(),
            )  # fmt: skip
        self.await_ready()

    def await_ready(self) -> None:
        """Wait until it takes connections."""
        end = time.monotonic() + SECONDS
        ask = [program("pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(self.port), "-U", USER]
        while subprocess.run(ask, check=False).returncode != 0:
            assert self.process.poll() is None, (self.folder / "log").read_text()[-2000:]
            assert time.monotonic() < end, "the server does not answer"
            time.sleep(0.05)

    def tell(self, which: signal.Signals) -> None:
        """Tell the server: SIGINT stops it in order, SIGQUIT at once, SIGKILL as a crash."""
        self.process.send_signal(which)

    def stop(self, which: signal.Signals = signal.SIGINT) -> None:
        """Stop it and wait for its end."""
        if self.process is None:
            return
        if self.process.poll() is None:
            self.tell(which)
        self.process.wait(SECONDS)
        self.process = None

    def remove(self) -> None:
        """Stop it and remove its folder."""
        self.stop(signal.SIGQUIT)
        shutil.rmtree(self.folder, ignore_errors=True)

    def url(self, database: str) -> str:
        """Return the URL of a database."""
        return f"postgresql://{USER}@127.0.0.1:{self.port}/{database}"

    def fresh(self) -> str:
        """Make a database and return its URL."""
        name = f"store_{os.getpid()}_{next(_number)}"
        self.sql(f"create database {name}")
        return self.url(name)

    def sql(self, text: str, database: str = "postgres") -> str:
        """Run a statement and return what psql prints."""
        words = ["-h", "127.0.0.1", "-p", str(self.port), "-U", USER, "-d", database.rsplit("/", 1)[-1]]
        done = subprocess.run(
            [program("psql"), "-qAtX", "-v", "ON_ERROR_STOP=1", *words, "-c", text],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def _somebody(self) -> dict[str, object]:
        if os.getuid() != 0:
            return {"cwd": self.folder}
        return {"cwd": self.folder, "user": "postgres", "group": "postgres", "extra_groups": []}
