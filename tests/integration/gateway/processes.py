"""`python -m tradewind gateway` as a process."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from tradewind.settings import Settings


def environment(settings: Settings) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("TRADEWIND_")}
    return kept | {
        "TRADEWIND_STATE_DIR": str(settings.state_dir),
        "TRADEWIND_DATABASE_URL": settings.database_url,
        "TRADEWIND_KEYS_URL": settings.keys_url,
        "TRADEWIND_MASTER_KEY_FILE": str(settings.master_key_file),
        "PYTHONUNBUFFERED": "1",
    }


@contextmanager
def gateway(settings: Settings, **environ: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The process and its address, once it has printed it. environ: more variables."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tradewind", "gateway", "--port", "0"],
        env=environment(settings) | environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line.startswith("Gateway http://"), line
        yield process, line.split()[1]
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
