"""Who changes something at the command line."""

import getpass
import socket


def who_is_here() -> str:
    """Return who sits at the command line, as the audit log calls them: ``USER@HOST``."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        user = "unknown"
    return f"{user}@{socket.gethostname()}"
