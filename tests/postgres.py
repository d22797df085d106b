"""PostgreSQL from its package, with its own durable defaults: `fsync` and `synchronous_commit` on."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path


@contextmanager
def postgres() -> Iterator[str]:
    """A server of this process, stopped and removed at the end; gives the address, which names its socket's folder.

    Raises whatever keeps it from starting: the package is missing, or does not run here.
    """
    with ExitStack() as stack:
        # Under root the server runs as another account, which must reach the folder: pytest's own are closed to it.
        folder = Path(tempfile.mkdtemp(prefix="tw-pg-"))
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        folder.chmod(0o755)
        stack.enter_context(_runtime_dir(folder / "runtime"))
        import pgserver

        # In any other mode the package locks once more at exit, in a folder that is gone by then, and makes it anew.
        server = pgserver.get_server(folder / "data", cleanup_mode="delete")
        stack.callback(server.cleanup)
        yield server.get_uri().replace("postgresql://", "postgresql+psycopg://")


@contextmanager
def _runtime_dir(folder: Path) -> Iterator[None]:
    """The package keeps its locks there."""
    folder.mkdir(mode=0o700)
    before = os.environ.get("XDG_RUNTIME_DIR")
    os.environ["XDG_RUNTIME_DIR"] = str(folder)
    try:
        yield
    finally:
        if before is None:
            del os.environ["XDG_RUNTIME_DIR"]
        else:
            os.environ["XDG_RUNTIME_DIR"] = before
