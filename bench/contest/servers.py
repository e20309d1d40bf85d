"""The servers that engines need, on loopback and free ports, each in a folder of its own."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

READY_SECONDS = 120.0
GRACE_SECONDS = 10.0
LOOK_SECONDS = 0.05
ROOT = 0
POSTGRES_USER = "postgres"


class NotStarted(Exception):
    """A server is not there or does not come up; the text says why."""


@dataclass(slots=True)
class Server:
    """A running server. `orders` are the words that clients get; `killed` says whether E kills it, too."""

    command: list[str]
    folder: Path
    port: int
    orders: dict[str, str]
    killed: bool = True
    settings: Mapping[str, str] = field(default_factory=dict)
    user: str | None = None
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> Server:
        """Start it, and return when its port is open."""
        groups: list[str] | None = [] if self.user else None
        with (self.folder / "server.log").open("ab") as log:
            self.process = subprocess.Popen(
                self.command,
                cwd=self.folder,
                env={**os.environ, **self.settings},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                process_group=0,
                user=self.user,
                group=self.user,
                extra_groups=groups,
            )
        until = time.monotonic() + READY_SECONDS
        while not _open(self.port):
            if self.process.poll() is not None or time.monotonic() > until:
                raise NotStarted(f"{Path(self.command[0]).name} does not come up: {self._last_words()}")
            time.sleep(LOOK_SECONDS)
        return self

    def stop(self) -> None:
        """End it in order, and by force if that takes long."""
        if self.process is None:
            return
        # The leader alone: PostgreSQL asks its backends itself.
        self.process.send_signal(signal.SIGINT if self.user else signal.SIGTERM)
        try:
            self.process.wait(GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """Kill it and all that it started."""
        if self.process is not None:
            kill_group(self.process)

    def _last_words(self) -> str:
        text = (self.folder / "server.log").read_text(encoding="utf-8", errors="replace")
        return " ".join(text.split())[-300:]


def kill_group(process: subprocess.Popen[bytes]) -> None:
    """Kill a process and its group."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def free_port() -> int:
    """Return a port of loopback that nobody has now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _open(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 0.5).close()
    except OSError:
        return False
    return True


def program(name: str, hidden: str = "") -> str:
    """Return where a program is: on the path, or where Debian hides it (a pattern below the root)."""
    found = [str(path) for path in sorted(Path("/").glob(hidden))] if hidden else []
    where = shutil.which(name) or (found[-1] if found else None)
    if where is None:
        raise NotStarted(f"`{name}` is not installed")
    return where


def postgres(folder: Path, environment: Path) -> Server:
    """PostgreSQL as it comes: fsync and synchronous_commit are on."""
    del environment
    # Where the real one lies are its companions; a link to it may stand alone on the path.
    programs = Path(program("initdb", "usr/lib/postgresql/*/bin/initdb")).resolve().parent
    user = POSTGRES_USER if os.getuid() == ROOT else None
    place = folder / "postgres"
    place.mkdir()
    if user:
        shutil.chown(place, user, user)
    groups: list[str] | None = [] if user else None
    command = [
        str(programs / "initdb"),
        "-D",
        str(place),
        "-U",
        "bench",
        "--auth=trust",
        "-E",
        "UTF8",
        "--locale=C.UTF-8",
    ]
    done = subprocess.run(
        command,
        cwd=place,
        capture_output=True,
        text=True,
        check=False,
        user=user,
        group=user,
        extra_groups=groups,
    )
    if done.returncode:
        raise NotStarted(f"initdb: {done.stderr[-300:]}")
    port = free_port()
    options = ["listen_addresses=127.0.0.1", "unix_socket_directories=", "max_connections=300"]
    words = [word for option in options for word in ("-c", option)]
    daemon = [str(programs / "postgres"), "-D", str(place), "-p", str(port), *words]
    orders = {"url": f"postgresql://bench@127.0.0.1:{port}/postgres"}
    server = Server(daemon, folder, port, orders, killed=False, user=user).start()
    _answers(programs / "psql", port)
    return server


def _answers(psql: Path, port: int) -> None:
    """Return when PostgreSQL takes statements: its port is open before that."""
    command = [
        str(psql),
        "-h",
        "127.0.0.1",
        "-p",
        str(port),
        "-U",
        "bench",
        "-d",
        "postgres",
        "-c",
        "select 1",
    ]
    until = time.monotonic() + READY_SECONDS
    while subprocess.run(command, capture_output=True, check=False).returncode:
        if time.monotonic() > until:
            raise NotStarted("PostgreSQL takes no statement")
        time.sleep(LOOK_SECONDS)


def redis(folder: Path, environment: Path) -> Server:
    """Redis as Debian ships it: snapshots now and then, no log of each change."""
    del environment
    port = free_port()
    command = [program("redis-server"), "--port", str(port), "--bind", "127.0.0.1", "--dir", str(folder)]
    return Server(command, folder, port, {"url": f"redis://127.0.0.1:{port}/0"}, killed=False).start()


def temporal(folder: Path, environment: Path) -> Server:
    """Temporal's development server on a SQLite file (its default is memory only)."""
    port = free_port()
    limits = ("limit.historyCount.error=200000", "limit.numPendingActivities.error=20000")
    command = [
        *(str(environment / "bin" / "temporal"), "server", "start-dev", "--headless", "--ip", "127.0.0.1"),
        *("--port", str(port), "--http-port", str(free_port()), "--metrics-port", str(free_port())),
        *("--db-filename", str(folder / "temporal.db"), "--log-level", "error"),
        *(word for limit in limits for word in ("--dynamic-config-value", limit)),
    ]
    return Server(command, folder, port, {"url": f"127.0.0.1:{port}"}).start()


def restate(folder: Path, environment: Path) -> Server:
    """One node of Restate; `environment` is the folder with `node_modules`."""
    ingress, admin, node = free_port(), free_port(), free_port()
    found = sorted(environment.glob("node_modules/@restatedev/restate-server-*/bin/restate-server"))
    if not found:
        raise NotStarted("npm brought no restate-server for this machine")
    settings = {
        "RESTATE_INGRESS__BIND_ADDRESS": f"127.0.0.1:{ingress}",
        "RESTATE_ADMIN__BIND_ADDRESS": f"127.0.0.1:{admin}",
        "RESTATE_BIND_ADDRESS": f"127.0.0.1:{node}",
        "RESTATE_ADVERTISED_ADDRESS": f"http://127.0.0.1:{node}",
        "RESTATE_LISTEN_MODE": "tcp",
        "RESTATE_DISABLE_TELEMETRY": "true",
        "RUST_LOG": "warn",
    }
    command = [str(found[0]), "--base-dir", str(folder / "restate"), "--node-name", "n1", "--no-logo"]
    orders = {
        "url": f"http://127.0.0.1:{ingress}",
        "admin": f"http://127.0.0.1:{admin}",
        "handlers_port": str(free_port()),
    }
    return Server(command, folder, admin, orders, settings=settings).start()


def prefect(folder: Path, environment: Path) -> Server:
    """Prefect's local server on SQLite."""
    port = free_port()
    settings = {
        "PREFECT_HOME": str(folder / "prefect"),
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PREFECT_LOGGING_LEVEL": "ERROR",
    }
    command = [str(environment / "bin" / "prefect"), "server", "start", "--host", "127.0.0.1"]
    orders = {"PREFECT_API_URL": f"http://127.0.0.1:{port}/api", **settings}
    return Server([*command, "--port", str(port)], folder, port, orders, settings=settings).start()


Start: TypeAlias = Callable[[Path, Path], Server]

SERVERS: Mapping[str, Start] = {
    "postgres": postgres,
    "redis": redis,
    "temporal": temporal,
    "restate": restate,
    "prefect": prefect,
}
