"""Free ports on loopback, and whether one is taken."""

from __future__ import annotations

import socket

from tradewind.errors import ConfigurationError


def free_port() -> int:
    """A port that is free now."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    return port


def require_free(host: str, port: int, setting: str) -> None:
    """Raises ConfigurationError, naming the setting, when the port is taken."""
    try:
        socket.create_server((host, port)).close()
    except OSError as error:
        advice = f"{host}:{port} is taken ({error.strerror}); stop what uses it, or set another port"
        raise ConfigurationError(setting, f"TRADEWIND_{setting.upper()} or its default", advice) from None
