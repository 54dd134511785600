"""Telling whoever started the node how it stands: systemd's notification protocol, one datagram a message.

Says nothing where nobody asked to be told. Never fails: a supervisor that does not listen is no reason to stop.
"""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Mapping

log = logging.getLogger(__name__)

READY, STOPPING = "READY=1", "STOPPING=1"


def tell_supervisor(*messages: str, environment: Mapping[str, str] | None = None) -> None:
    """Send `KEY=value` messages to the socket that NOTIFY_SOCKET names, a path or, behind `@`, an abstract name."""
    address = (os.environ if environment is None else environment).get("NOTIFY_SOCKET", "")
    if address[:1] not in ("/", "@"):
        return
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as link:
            link.connect("\0" + address[1:] if address[0] == "@" else address)
            link.sendall("\n".join(messages).encode())
    except OSError as error:
        log.warning("the supervisor at %s was not told: %s", address, error)
