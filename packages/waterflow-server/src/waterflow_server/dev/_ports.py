"""TCP ports on the loopback address: found free, or checked when they were asked for."""

from __future__ import annotations

import random
import socket

from ._errors import PortInUse

LOOPBACK = "127.0.0.1"

# Below the range that systems use for outgoing connections (Linux: 32768-60999). Inside it another program's connection
# could take the port while our server is being restarted, and a client that keeps dialling a dead port of its own
# machine can even end up connected to itself.
_LOWEST, _HIGHEST = 15000, 32000
_ATTEMPTS = 200


def is_free(port: int) -> bool:
    """Whether a server could listen on the port of the loopback address now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # As servers do: a connection that is closed but not yet forgotten (TIME_WAIT) does not hold the port.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
            probe.listen(1)
        except OSError:
            return False
    return True


def free_ports(count: int) -> list[int]:
    """`count` different ports that are free now. Raises PortInUse when none can be found."""
    found: list[int] = []
    for _ in range(_ATTEMPTS):
        if len(found) == count:
            break
        # Random, so that several stacks that start at once rarely choose the same.
        port = random.randint(_LOWEST, _HIGHEST)
        if port not in found and is_free(port):
            found.append(port)
    if len(found) < count:
        raise PortInUse(f"Found no free port between {_LOWEST} and {_HIGHEST} on {LOOPBACK}; choose ports yourself.")
    return found


def require_free(port: int, purpose: str, remedy: str) -> None:
    """Raises PortInUse, naming port, purpose and remedy, unless the port is free."""
    if not is_free(port):
        raise PortInUse(
            f"Port {port} for {purpose} is in use on {LOOPBACK}. Stop the program that listens there, or {remedy}.",
            {"port": port, "purpose": purpose},
        )
