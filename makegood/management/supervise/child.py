"""A child of the supervisor: started, watched, started again when it dies, stopped with everything that it started."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections import deque

from makegood.management.supervise import kin
from makegood.management.supervise.trouble import Trouble

MOST_DEATHS = 5
WITHIN_SECONDS = 30.0


class Patience:
    """Counts deaths: how long to wait before the next start, and when to give up."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._deaths: deque[float] = deque(maxlen=MOST_DEATHS)

    def note(self, how: str) -> float:
        """Note a death that happened now; returns the seconds to wait. Raises Trouble at the fifth within 30 s."""
        now = time.monotonic()
        self._deaths.append(now)
        recent = sum(now - moment < WITHIN_SECONDS for moment in self._deaths)
        if recent >= MOST_DEATHS:
            raise Trouble(
                f"The {self.name} ended {MOST_DEATHS} times within {WITHIN_SECONDS:.0f} seconds (last: {how}); "
                "the lines above say why. Everything has been stopped, nothing that was acknowledged is lost."
            )
        return float(0.2 * 2 ** (recent - 1))


class Child:
    """``name``: as printed ("web", "worker"). ``command``: argument list. The child leads a process group of its own."""

    def __init__(self, name: str, command: list[str], environment: dict[str, str]) -> None:
        self.name = name
        self._command = command
        self._environment = environment
        self._process: subprocess.Popen[bytes] | None = None
        self._patience = Patience(name)
        self._again_at = 0.0

    def start(self) -> None:
        """Start it; its output goes where ours goes."""
        self._process = subprocess.Popen(
            self._command,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=kin.bound_to_parent(signal.SIGKILL),
        )

    def look(self) -> None:
        """Bury it if it died, start it again when its time has come. Raises Trouble when it dies too often."""
        if self._process is None:
            if time.monotonic() >= self._again_at:
                self.start()
            return
        code = self._process.poll()
        if code is None:
            return
        self._kill_group()  # what the dead one started must not keep the port
        self._process = None
        how = f"killed by {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
        wait = self._patience.note(how)
        self._again_at = time.monotonic() + wait
        print(f"The {self.name} ended ({how}); starting it again in {wait:.1f} s.", flush=True)

    def ask_to_stop(self) -> None:
        """Tell it to finish what it is doing (SIGTERM)."""
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()

    def stopped(self) -> bool:
        """Has it ended?"""
        return self._process is None or self._process.poll() is not None

    def kill(self) -> None:
        """End it and whatever it started, now."""
        if self._process is not None:
            self._kill_group()
            self._process.wait()
            self._process = None

    def _kill_group(self) -> None:
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)
