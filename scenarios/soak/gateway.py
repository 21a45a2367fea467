"""The gateway's process in a soak."""

import resource
import signal
import subprocess
import sys
import threading
from pathlib import Path

from scenarios.errors import DataError
from scenarios.soak.clock import ScaledClock


class Gateway:
    """The gateway's process, started again after a kill."""

    def __init__(self, config: Path, clock: ScaledClock) -> None:
        self._command = [sys.executable, "-m", "scenarios.soak.home", str(config)]
        self._command += clock.arguments()
        self._process: subprocess.Popen[str] | None = None
        self._reader: threading.Thread | None = None
        self.state_folder = config.parent / "state"
        """What it remembers."""
        self.lines: list[str] = []
        """What it said."""
        self.kills = 0
        """How often it was killed."""

    def start(self) -> None:
        """Start it."""
        self._process = subprocess.Popen(  # noqa: S603 -- our own words
            self._command, stderr=subprocess.PIPE, text=True
        )
        self._reader = threading.Thread(target=self._read, args=(self._process,), daemon=True)
        self._reader.start()

    def _read(self, process: "subprocess.Popen[str]") -> None:
        assert process.stderr is not None  # noqa: S101 -- asked for
        with process.stderr:
            for line in process.stderr:
                self.lines.append(line.rstrip("\n"))

    def require_alive(self) -> None:
        """Raise `DataError` where it has ended by itself."""
        if self._process is not None and self._process.poll() is not None:
            msg = f"soak: the gateway ended by itself; it said {self.lines[-3:]}"
            raise DataError(msg)

    def let_write(self, *, may: bool) -> None:
        """Have the system refuse every write to its files, as a full disk does, or no more."""
        if self._process is not None:
            _, most = resource.prlimit(self._process.pid, resource.RLIMIT_FSIZE)
            soft = most if may else 0
            resource.prlimit(self._process.pid, resource.RLIMIT_FSIZE, (soft, most))

    def kill(self) -> None:
        """End it as a lack of memory does."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None
            self.kills += 1

    def end(self, within_s: float) -> int:
        """Tell it to end; return its exit code. [s]"""
        assert self._process is not None  # noqa: S101 -- started before
        self._process.send_signal(signal.SIGTERM)
        try:
            return self._process.wait(within_s)
        except subprocess.TimeoutExpired:
            self._process.kill()
            return self._process.wait()
