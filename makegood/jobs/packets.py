"""Sending the notices that are due outside the page, one message a way; nothing slow happens inside a transaction (law 6)."""

from __future__ import annotations

import logging
from collections.abc import Callable

from makegood.connectors.errors import Later, OutsideError
from makegood.desk import packets, ways

log = logging.getLogger("makegood.jobs")


def send_due(stop: Callable[[], bool] = lambda: False) -> int:
    """Send what is due until nothing is or ``stop()`` says so; returns how many messages were tried."""
    tried = 0
    while not stop():
        packet = packets.claim()
        if packet is None:
            break
        send(packet)
        tried += 1
    return tried


def send(packet: packets.Packet) -> None:
    """Send one claimed message and write down how it went. One bad way stops nobody."""
    title, body = packets.worded(packet)
    try:
        ways.deliver(packet.way, title, body, packet.mark)
    except OutsideError as error:
        log.warning("notices by way %s (%s) not sent: %s", packet.way.pk, packet.way.kind, error.code)
        packets.failed(packet, error.code, theirs=isinstance(error, Later))
    except (
        Exception
    ) as error:  # a tool of apprise that stumbles over an answer: its words could hold the address
        log.error("notices by way %s not sent: %s", packet.way.pk, type(error).__name__)
        packets.failed(packet, type(error).__name__, theirs=False)
    else:
        packets.arrived(packet)
