"""The embedded PostgreSQL: a real server of our own in var/pg, on a Unix socket that only this user can reach.

The wheel's own Python class is not used: it stops the server by a list of process ids in the data folder, which after
a kill -9 names processes that no longer exist (or are somebody else), and it does not let us choose what is durable.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from urllib.parse import quote

import psycopg

from makegood.management.supervise import kin
from makegood.management.supervise.account import (
    VERSION,
    account,
    as_user,
    make_readable,
    open_the_way,
    programs,
)
from makegood.management.supervise.places import var
from makegood.management.supervise.trouble import FULL_DISK, Trouble

NAME = "makegood"
PORT = 5432  # only a part of the socket's file name: the server listens on no network
LONGEST_SOCKET_FOLDER = 80  # a socket's whole path may have 103 bytes on macOS, 107 on Linux
LOG_BYTES = 10 * 1024 * 1024
TRIES = 50
STARTING_SECONDS = 300.0  # recovery after a crash reads back up to max_wal_size
SETTINGS = {
    "listen_addresses": "",
    "port": str(PORT),
    "unix_socket_permissions": "0700",
    "max_connections": "100",
    "shared_buffers": "256MB",
    "effective_cache_size": "1GB",
    "maintenance_work_mem": "64MB",
    "work_mem": "8MB",
    "max_wal_size": "1GB",
    "random_page_cost": "1.1",
    "max_parallel_workers_per_gather": "0",  # a container's /dev/shm of 64 MB is too small for parallel queries
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_checkpoints": "off",
    "log_line_prefix": "%m [%p] ",
}
DURABLE = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"}
FLEETING = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


class Embedded:
    """One embedded server. ``data``: its data folder (var/pg by default). ``durable``: False for tests alone."""

    def __init__(self, data: Path | None = None, durable: bool = True) -> None:
        self.data = (data or var() / "pg").absolute()
        self.durable = durable
        self.log = self.data.with_name(self.data.name + ".log")
        self._with_parent = False
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def socket(self) -> Path:
        """The socket's folder: the data folder, or a short one in the temporary folder for a deep clone."""
        if len(os.fsencode(self.data)) <= LONGEST_SOCKET_FOLDER:
            return self.data
        mark = hashlib.sha256(os.fsencode(self.data)).hexdigest()[:12]
        return Path(tempfile.gettempdir()) / f"makegood-{os.geteuid()}-{mark}"

    def url(self, name: str = NAME) -> str:
        """How to connect: postgresql://postgres@/<name>?host=<socket's folder>&port=5432."""
        return f"postgresql://postgres@/{name}?host={quote(str(self.socket), safe='/')}&port={PORT}"

    def pid(self) -> int | None:
        """The running server's process id, else None."""
        if self._process is not None and self._process.poll() is not None:
            self._process = None
        number = self._noted()[0]
        return number if number and kin.alive(number, "postgres") else None

    def start(self, with_parent: bool = False) -> bool:
        """Make sure that the server runs, accepts connections and has our database; True when this call started it.

        ``with_parent``: the server shuts down (cleanly) should this process die. Raises Trouble, in one sentence.
        """
        for _ in range(TRIES):
            while self.pid() is not None and self._noted()[1] == "stopping":
                time.sleep(0.05)
            ours = self.pid() is None
            if ours:
                self._with_parent = with_parent
                self._create()
                self._launch()
            if self._await_ready() and self._create_database():
                return ours
            time.sleep(0.1)  # a server that was killed a moment ago still looked alive
        raise self._explain(self._log_tail(), "PostgreSQL does not accept connections")

    def stop(self, seconds: float = 4.0) -> None:
        """Shut the server down cleanly; after ``seconds`` at once, which the next start recovers from without loss."""
        for how, patience in ((signal.SIGINT, seconds), (signal.SIGQUIT, 3.0)):
            pid = self.pid()
            if pid is None:
                break
            os.kill(pid, how)
            end = time.monotonic() + patience
            while self.pid() is not None and time.monotonic() < end:
                time.sleep(0.03)
        if self.socket != self.data:
            with contextlib.suppress(OSError):
                self.socket.rmdir()

    def _noted(self) -> tuple[int, str]:
        """(process id, status) as the server wrote them down in postmaster.pid; (0, "") without that file."""
        try:
            lines = (self.data / "postmaster.pid").read_text().splitlines()
            return int(lines[0]), (lines[7].strip() if len(lines) > 7 else "starting")
        except (FileNotFoundError, NotADirectoryError, IndexError, ValueError):
            return 0, ""

    def _create(self) -> None:
        """A new data folder, whole or not at all: a kill in the middle must not leave half a database under its name."""
        user = account()
        if user is not None:
            make_readable(programs())
            open_the_way(programs() / "bin")
            open_the_way(self.data)
        if (self.data / "PG_VERSION").exists():
            self._check_version()
            return
        draft = self.data.with_name(self.data.name + ".new")
        if draft.exists():
            shutil.rmtree(draft)
        if self.data.exists() and any(self.data.iterdir()):
            raise Trouble(
                f"{self.data} holds something that is not a PostgreSQL data folder; move it away and start again."
            )
        draft.mkdir(mode=0o700, parents=True)
        if user is not None:
            os.chown(draft, user.pw_uid, user.pw_gid)
        command = [
            str(programs() / "bin" / "initdb"),
            "-D",
            str(draft),
            "-U",
            "postgres",
            "-A",
            "trust",
            "-E",
            "UTF8",
        ]
        command += ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        command += [] if self.durable else ["--no-sync"]
        made = subprocess.run(command, capture_output=True, text=True, errors="replace", **as_user())
        if made.returncode:
            raise self._explain(made.stderr, "PostgreSQL could not make its data folder")
        if self.data.exists():
            self.data.rmdir()
        draft.rename(self.data)

    def _check_version(self) -> None:
        found = (self.data / "PG_VERSION").read_text().strip()
        if found != VERSION:
            raise Trouble(
                f"{self.data} was made by PostgreSQL {found} and this Makegood brings PostgreSQL {VERSION}: move the data "
                "with pg_dump and pg_restore, or start the Makegood that made it."
            )

    def _launch(self) -> None:
        self._prepare_socket()
        if self.log.exists() and self.log.stat().st_size > LOG_BYTES:
            self.log.replace(self.log.with_suffix(".log.1"))
        self._clear_note_of_a_stranger()
        options = {
            **SETTINGS,
            **(DURABLE if self.durable else FLEETING),
            "unix_socket_directories": str(self.socket),
        }
        command = [str(programs() / "bin" / "postgres"), "-D", str(self.data)]
        command += [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C in the terminal is for the supervisor alone
                preexec_fn=kin.bound_to_parent(signal.SIGINT) if self._with_parent else None,
                **as_user(),
            )

    def _clear_note_of_a_stranger(self) -> None:
        """After a crash the number in a lock file may belong to another program by now, or to a killed server that
        nobody has buried yet; PostgreSQL would believe it to be running. Should children of the killed one still run,
        PostgreSQL notices them by the shared memory, whose key comes from the data folder.
        """
        for note in (self.data / "postmaster.pid", self.socket / f".s.PGSQL.{PORT}.lock"):
            with contextlib.suppress(FileNotFoundError, IndexError, ValueError):
                if not kin.alive(int(note.read_text().splitlines()[0]), "postgres"):
                    note.unlink()

    def _prepare_socket(self) -> None:
        if self.socket == self.data:
            return
        user = account()
        self.socket.mkdir(mode=0o700, exist_ok=True)
        owner = self.socket.lstat().st_uid
        if self.socket.is_symlink() or owner not in {os.geteuid(), user.pw_uid if user else os.geteuid()}:
            raise Trouble(
                f"{self.socket} belongs to somebody else; remove it, or move Makegood to a folder with a shorter path."
            )
        self.socket.chmod(0o700)
        if user is not None:
            os.chown(self.socket, user.pw_uid, user.pw_gid)

    def _await_ready(self) -> bool:
        """False when a server that somebody else had started ended meanwhile."""
        begin = time.monotonic()
        said = False
        while self._noted()[1] != "ready" or self.pid() is None:
            waited = time.monotonic() - begin
            if self._process is not None and self._process.poll() is not None:
                self._process = None
                tail = self._log_tail()
                if (
                    "still in use" in tail and waited < 15
                ):  # the killed server's last children are still going
                    time.sleep(0.3)
                    self._launch()
                    continue
                raise self._explain(tail, "PostgreSQL did not start")
            if self._process is None and self.pid() is None:
                return False
            if waited > STARTING_SECONDS:
                raise Trouble(
                    f"PostgreSQL is not ready after {STARTING_SECONDS:.0f} s; {self.log} says what it is doing."
                )
            if waited > 4 and not said:
                said = True
                print(
                    "PostgreSQL is recovering what was written before the last stop …",
                    file=sys.stderr,
                    flush=True,
                )
            time.sleep(0.02)
        return True

    def _create_database(self) -> bool:
        """False when the server does not let us in."""
        try:
            with psycopg.connect(self.url("postgres"), autocommit=True, connect_timeout=10) as connection:
                found = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [NAME]).fetchone()
                if not found:
                    connection.execute(f'CREATE DATABASE "{NAME}"')
            return True
        except psycopg.errors.DiskFull:
            raise Trouble(FULL_DISK.format(where=self.data.parent)) from None
        except psycopg.OperationalError:
            return False

    def _log_tail(self) -> str:
        try:
            return self.log.read_bytes()[-4000:].decode(errors="replace")
        except FileNotFoundError:
            return ""

    def _explain(self, output: str, sentence: str) -> Trouble:
        if "No space left on device" in output or "Disk quota exceeded" in output:
            return Trouble(FULL_DISK.format(where=self.data.parent))
        lines = [
            line for line in output.splitlines() if "FATAL" in line or "PANIC" in line or "error:" in line
        ]
        last = (lines or output.strip().splitlines() or ["it gave no reason"])[-1].strip()
        return Trouble(f"{sentence}: {last} (more in {self.log}).")
