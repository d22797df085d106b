"""PostgreSQL from its package, for the peers, with its own durable defaults: fsync and synchronous_commit on."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import parse_qs, urlsplit


@contextmanager
def postgres() -> Iterator[Path]:
    """The folder of its socket; user postgres, database postgres."""
    folder = Path(tempfile.mkdtemp(prefix="bench-pg-"))
    folder.chmod(0o755)  # under root the server runs as another account
    (folder / "runtime").mkdir(mode=0o700)
    os.environ["XDG_RUNTIME_DIR"] = str(folder / "runtime")
    import pgserver

    server = pgserver.get_server(folder / "data", cleanup_mode="stop")
    try:
        yield Path(parse_qs(urlsplit(server.get_uri()).query)["host"][0])
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)
