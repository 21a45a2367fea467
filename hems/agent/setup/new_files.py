"""Files that are made once and never overwritten."""

import os
from pathlib import Path


def write_new(path: Path, content: bytes, *, mode: int) -> None:
    """Write a file that is not there yet and has its mode from its first byte on."""
    opened = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(opened, "wb") as file:
        file.write(content)
