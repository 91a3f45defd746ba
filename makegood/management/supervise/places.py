"""Where things lie: the project's folder, var/, the site's secret."""

from __future__ import annotations

import os
import secrets
import shutil
from pathlib import Path

from makegood.management.supervise.trouble import FULL_DISK, Trouble

ROOT = Path(__file__).resolve().parents[3]
NEEDED_BYTES = 200 * 1024 * 1024


def var() -> Path:
    """The folder of everything that this site keeps on disk (MAKEGOOD_VAR, else var/ beside the code); made if missing."""
    folder = Path(os.environ.get("MAKEGOOD_VAR") or ROOT / "var").absolute()
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def check_room(folder: Path) -> None:
    """Refuse to start on a nearly full disk: PostgreSQL would stop in the middle of work instead.

    Raises Trouble below 200 MB.
    """
    if shutil.disk_usage(folder).free < NEEDED_BYTES:
        raise Trouble(FULL_DISK.format(where=folder))


def make_secret(folder: Path) -> Path:
    """The site's secret in ``folder``/secret, readable by the owner alone; made once, whole or not at all."""
    file = folder / "secret"
    if file.exists() and file.stat().st_size > 0:
        return file
    draft = folder / f"secret.{os.getpid()}"
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as out:
        out.write(secrets.token_urlsafe(50))
        out.flush()
        os.fsync(out.fileno())
    draft.replace(file)
    return file
