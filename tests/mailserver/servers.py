"""Debian's own dovecot and postfix, as private instances on free ports with all their files in one folder that goes away.

The fixture ``mail_servers`` gives both. Postfix takes letters by SMTP for the domains below and hands them to dovecot by
LMTP (letters to ``pipe.example`` go to the pipe transport), dovecot gives them out by IMAP. An account that does not
exist bounces, as in the world: the report goes to the return path.
"""

from __future__ import annotations

import os
import shutil
import smtplib
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from imapclient import IMAPClient

from tests.mailserver.config import DOVECOT, MAIN, MASTER, OAUTH2, PIPE

DOMAINS = ("haneul.example", "moon.example", "customer.example", "pipe.example")
ACCOUNTS = ("help@haneul.example", "brand@haneul.example", "help@moon.example", "jiwoo@customer.example")
PASSWORD = "correct horse 9"


@dataclass
class MailServers:
    """Ports on 127.0.0.1, accounts (all with :data:`PASSWORD`), and what a test does with them."""

    dir: Path
    smtp: int
    imap: int
    imaps: int
    lmtp: int
    oauth: int
    accounts: tuple[str, ...] = ACCOUNTS
    password: str = PASSWORD
    _pipes: list[socket.socket] = field(default_factory=list)

    def deliver(self, raw: bytes, to: str, sender: str = "jiwoo@customer.example") -> None:
        """Hand a letter to postfix by SMTP, as another mail server does."""
        with smtplib.SMTP("127.0.0.1", self.smtp, timeout=10) as line:
            line.sendmail(sender, [to], raw)

    def client(self, account: str) -> IMAPClient:
        """Somebody's own mail program, signed in, with INBOX selected."""
        client = IMAPClient("127.0.0.1", port=self.imap, ssl=False, timeout=10)
        client.login(account, self.password)
        client.select_folder("INBOX")
        return client

    def arrived(self, account: str, count: int = 1, seconds: float = 15) -> list[bytes]:
        """The letters of an account once there are ``count``, oldest first."""
        end = time.monotonic() + seconds
        while True:
            with self.client(account) as client:
                uids = client.search("ALL")
                if len(uids) >= count:
                    return [client.fetch([u], ["BODY.PEEK[]"])[u][b"BODY[]"] for u in sorted(uids)]
            assert time.monotonic() < end, f"{account} has {len(uids)} letters\n{self.logs()}"
            time.sleep(0.1)

    def put(self, account: str, raw: bytes, flags: tuple[bytes, ...] = ()) -> None:
        """A letter into the mailbox by IMAP APPEND, without the way there."""
        with self.client(account) as client:
            client.append("INBOX", raw, flags)

    def flags(self, account: str) -> list[tuple[bytes, ...]]:
        with self.client(account) as client:
            return [client.get_flags([u])[u] for u in sorted(client.search("ALL"))]

    def new_uidvalidity(self, account: str) -> None:
        """As after a restored backup: the same letters under other numbers."""
        with self.client(account) as client:
            letters = [client.fetch([u], ["BODY.PEEK[]"])[u][b"BODY[]"] for u in sorted(client.search("ALL"))]
            client.unselect_folder()
        self.empty(account)
        time.sleep(1.1)  # dovecot makes it of the seconds of the clock
        for raw in letters:
            self.put(account, raw)

    def empty(self, account: str) -> None:
        subprocess.run(["doveadm", "-c", f"{self.dir}/dovecot.conf", "kick", account], capture_output=True)
        shutil.rmtree(self.dir / "mail" / account, ignore_errors=True)

    def cut(self) -> None:
        """End every IMAP connection at once, as a router that restarts."""
        done = subprocess.run(["doveadm", "-c", f"{self.dir}/dovecot.conf", "kick", "*"], capture_output=True)
        assert done.returncode in (0, 68), done.stderr

    def pipe(self, take: Callable[[str, bytes], int]) -> None:
        """From now on ``take(recipient, raw)`` answers for postfix's pipe; its result is the command's exit code."""
        place = self.dir / "pipe.sock"
        place.unlink(missing_ok=True)
        line = socket.socket(socket.AF_UNIX)
        line.bind(str(place))
        place.chmod(0o666)
        line.listen(5)
        self._pipes.append(line)

        def serve() -> None:
            with suppress(OSError):
                while True:
                    talk, _ = line.accept()
                    with talk:
                        got = b"".join(iter(lambda talk=talk: talk.recv(1 << 16), b""))
                        to, _, raw = got.partition(b"\0")
                        talk.sendall(str(take(to.decode(), raw)).encode())

        threading.Thread(target=serve, daemon=True).start()

    def no_pipe(self) -> None:
        (self.dir / "pipe.sock").unlink(missing_ok=True)
        while self._pipes:
            line = self._pipes.pop()
            with suppress(OSError):
                line.shutdown(socket.SHUT_RDWR)
            line.close()

    def queued(self) -> str:
        """What postfix still holds."""
        return subprocess.run(
            ["postqueue", "-c", f"{self.dir}/postfix", "-p"], capture_output=True, text=True
        ).stdout

    def logs(self) -> str:
        """The last lines of both servers, for a failing test."""
        files = [self.dir / "postfix.log", self.dir / "dovecot.log"]
        return "\n".join(
            "\n".join(f.read_text("utf-8", "replace").splitlines()[-25:]) for f in files if f.exists()
        )


def missing() -> str:
    """Why the servers cannot be had here; '' when they can."""
    if os.geteuid() != 0:
        return "dovecot and postfix are started as root only (.ci/run does)"
    found = [
        shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
        for name in ("dovecot", "postfix")
    ]
    if not all(found):
        return "dovecot and postfix are not installed (apt-get install dovecot-imapd dovecot-lmtpd postfix)"
    return ""


def _ports(count: int) -> list[int]:
    lines = [socket.socket() for _ in range(count)]
    for line in lines:
        line.bind(("127.0.0.1", 0))
    ports = [line.getsockname()[1] for line in lines]
    for line in lines:
        line.close()
    return ports


def _certificate(folder: Path) -> None:
    """A certificate that nobody vouches for, for 127.0.0.1."""
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
         "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost",
         "-keyout", str(folder / "key.pem"), "-out", str(folder / "cert.pem")],
        check=True,
        capture_output=True,
    )  # fmt: skip


def _write(folder: Path, ports: dict[str, int]) -> None:
    values = {"dir": folder, "name": folder.name, "domains": " ".join(DOMAINS), **ports}
    (folder / "mail").mkdir()
    shutil.chown(folder / "mail", "mail", "mail")
    for name in ("postfix", "spool", "data"):
        (folder / name).mkdir()
    shutil.chown(folder / "data", "postfix")
    for place, text in {
        "dovecot.conf": DOVECOT,
        "oauth2.conf": OAUTH2,
        "postfix/main.cf": MAIN,
        "postfix/master.cf": MASTER,
    }.items():
        (folder / place).write_text(text.format(**values).lstrip())
    (folder / "pipe.py").write_text(PIPE)
    (folder / "users").write_text("".join(f"{a}:{{PLAIN}}{PASSWORD}::::::\n" for a in ACCOUNTS))
    _certificate(folder)


def _until_listening(port: int, servers: MailServers) -> None:
    end = time.monotonic() + 15
    while True:
        with suppress(OSError), closing(socket.create_connection(("127.0.0.1", port), 1)):
            return
        assert time.monotonic() < end, f"nothing listens on {port}\n{servers.logs()}"
        time.sleep(0.05)


@pytest.fixture(scope="session")
def _servers() -> Iterator[MailServers]:
    if why := missing():
        if os.environ.get("CI"):
            pytest.fail(why)  # where they were promised, a skip would be a lie
        pytest.skip(why)
    # Not pytest's own folder: it is closed to the users that the servers run as, and sockets need a short path.
    folder = Path(tempfile.mkdtemp(prefix="mg-mail-", dir="/tmp"))
    folder.chmod(0o755)
    names = ("smtp", "imap", "imaps", "lmtp", "oauth")
    ports = dict(zip(names, _ports(len(names)), strict=True))
    servers = MailServers(folder, **ports)
    os.environ["PATH"] = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
    started = []
    try:
        _write(folder, ports)
        for stop, start in (
            (
                ["doveadm", "-c", f"{folder}/dovecot.conf", "stop"],
                ["dovecot", "-c", f"{folder}/dovecot.conf"],
            ),
            (
                ["postfix", "-c", f"{folder}/postfix", "abort"],
                ["postfix", "-c", f"{folder}/postfix", "start"],
            ),
        ):
            # Into a file: the servers inherit it, and a pipe would be waited for until they end.
            with (folder / "start.log").open("w") as said:
                code = subprocess.run(
                    start, stdout=said, stderr=said, stdin=subprocess.DEVNULL, timeout=30
                ).returncode
            assert code == 0, f"{start}: {(folder / 'start.log').read_text()}\n{servers.logs()}"
            started.append(stop)
        for port in (servers.imap, servers.lmtp, servers.smtp):
            _until_listening(port, servers)
        yield servers
    finally:
        for stop in reversed(started):
            subprocess.run(stop, capture_output=True, stdin=subprocess.DEVNULL, timeout=20)
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def mail_servers(_servers: MailServers) -> Iterator[MailServers]:
    """Both servers, with every account empty."""
    for account in ACCOUNTS:
        _servers.empty(account)
    yield _servers
    _servers.no_pipe()
