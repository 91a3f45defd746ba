"""Processes that must not outlive the one that started them."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import threading
import time
from collections.abc import Callable

import psutil

PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


def bound_to_parent(how: signal.Signals) -> Callable[[], None]:
    """For ``Popen(preexec_fn=...)``: the kernel sends the child ``how`` when the thread that started it ends (Linux).

    Without it a kill -9 of the supervisor leaves a web server behind that holds the port. Elsewhere than on Linux this
    does nothing here; the children of our own making watch their parent by :func:`die_with_parent` instead.
    """
    parent = os.getpid()

    def bind() -> None:
        if _libc is None:
            return
        _libc.prctl(PR_SET_PDEATHSIG, how)
        if os.getppid() != parent:  # it died between fork and here
            os.kill(os.getpid(), signal.SIGKILL)

    return bind


def die_with_parent(parent: int) -> None:
    """Called inside a child: end at once when the process ``parent`` (a pid) is no longer its parent."""
    if _libc is not None:
        _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os.kill(os.getpid(), signal.SIGKILL)
    if _libc is None:
        threading.Thread(target=_watch, args=(parent,), daemon=True).start()


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(0.5)
    os.kill(os.getpid(), signal.SIGKILL)


def alive(pid: int, name: str = "") -> bool:
    """Is there a process ``pid`` (and is ``name`` the program it runs) that is not merely waiting to be buried?"""
    try:
        process = psutil.Process(pid)
        return process.status() != psutil.STATUS_ZOMBIE and (not name or process.name() == name)
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return False
