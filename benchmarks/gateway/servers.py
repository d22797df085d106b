"""The servers that are compared, each a process with an address, and what has to be there before it starts."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import psutil

from benchmarks.gateway.deliveries import SECRET

PEERS = Path(__file__).parent / "peers"
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "tradewind-benchmarks"
INSTALL_S = 240
DJ_STRIPE = ("dj-stripe==2.11.0", "gunicorn==27.0.1", "psycopg[binary]==3.3.9")
SYNC_ENGINE = ("@supabase/stripe-sync-engine@0.48.5", "stripe@20")
GUNICORN = ("--workers", "2", "--threads", "4", "--worker-class", "gthread", "--keep-alive", "75")


class Missing(Exception):
    """A peer cannot be compared here, and why."""


@dataclass(frozen=True)
class Server:
    name: str
    settings: str
    host: str
    port: int
    path: str
    process: psutil.Process

    def cpu_s(self) -> float:
        """CPU time of the process and its children so far."""
        times = [one.cpu_times() for one in (self.process, *self.process.children(recursive=True))]
        return sum(one.user + one.system for one in times)


@contextmanager
def ours(mode: str, processes: int) -> Iterator[Server]:
    """This gateway on SQLite, `durable` or `hmac-only`, in so many processes."""
    folder = tempfile.mkdtemp(prefix="bench-gateway-")
    command = [sys.executable, "-m", "benchmarks.gateway.ours", folder, mode, str(processes)]
    settings = {
        "durable": f"SQLite WAL, synchronous=FULL, sealed payloads; gateway_processes={processes}",
        "hmac-only": f"the same, but answers when the signature holds, stores nothing; gateway_processes={processes}",
    }[mode]
    with _started(command, os.environ.copy()) as (process, url):
        yield _server(mode, settings, url, "/hooks/stripe/main", process)
    shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def dj_stripe(database: Path) -> Iterator[Server]:
    """Raises Missing."""
    python = _once("dj-stripe", DJ_STRIPE, _install_python) / "bin" / "python"
    env = os.environ | {"BENCH_PG": str(database), "BENCH_SECRET": SECRET, "PYTHONPATH": str(PEERS)}
    env["DJANGO_SETTINGS_MODULE"] = "dj_stripe_settings"
    path = _run([str(python), str(PEERS / "dj_stripe_setup.py")], env).strip().splitlines()[-1]
    port = _free_port()
    application = "django.core.wsgi:get_wsgi_application()"
    command = [str(python), "-m", "gunicorn", application, *GUNICORN, "--bind", f"127.0.0.1:{port}"]
    process = subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _await_port(port, process)
        settings = f"gunicorn {' '.join(GUNICORN)}; verify_signature, event callback, CONN_MAX_AGE=None, PostgreSQL"
        yield _server("dj-stripe", settings, f"http://127.0.0.1:{port}", path, process)
    finally:
        _stop(process)


@contextmanager
def sync_engine(database: Path) -> Iterator[Server]:
    """Raises Missing."""
    folder = _once("stripe-sync-engine", SYNC_ENGINE, _install_node)
    script = shutil.copy(PEERS / "sync_engine.cjs", folder / "server.cjs")
    url = f"postgresql://postgres@localhost/postgres?host={database}"
    env = os.environ | {"BENCH_DATABASE_URL": url, "BENCH_SECRET": SECRET, "NODE_ENV": "production"}
    with _started(["node", str(script)], env) as (process, address):
        settings = "node http, processWebhook, pool of 10, PostgreSQL fsync=on synchronous_commit=on"
        yield _server("stripe-sync-engine", settings, address, "/", process)


def _server(name: str, settings: str, url: str, path: str, process: subprocess.Popen[str]) -> Server:
    parts = urlsplit(url)
    assert parts.hostname is not None
    assert parts.port is not None
    return Server(name, settings, parts.hostname, parts.port, path, psutil.Process(process.pid))


@contextmanager
def _started(command: list[str], env: dict[str, str]) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A process that prints its address as its first line."""
    process = subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        if not url.startswith("http"):
            raise Missing(f"{' '.join(command[:3])} did not start: {url or 'it ended'}")
        yield process, url
    finally:
        _stop(process)


def _stop(process: subprocess.Popen[str]) -> None:
    process.terminate()
    try:
        process.wait(15)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _once(name: str, packages: tuple[str, ...], install: Callable[[Path, tuple[str, ...]], None]) -> Path:
    """A throwaway environment in the cache folder, kept for the next run with the same versions."""
    folder, done = CACHE / name, CACHE / name / "installed"
    if not done.exists() or done.read_text() != repr(packages):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        install(folder, packages)
        done.write_text(repr(packages))
    return folder


def _install_python(folder: Path, packages: tuple[str, ...]) -> None:
    _run(["uv", "venv", "--quiet", "--allow-existing", str(folder)], os.environ.copy())
    _run(["uv", "pip", "install", "--quiet", "--python", str(folder / "bin/python"), *packages], os.environ.copy())


def _install_node(folder: Path, packages: tuple[str, ...]) -> None:
    (folder / "package.json").write_text('{"private": true}')
    _run(["npm", "install", "--no-audit", "--no-fund", "--prefix", str(folder), *packages], os.environ.copy())


def _run(command: list[str], env: dict[str, str]) -> str:
    try:
        ran = subprocess.run(command, env=env, capture_output=True, text=True, timeout=INSTALL_S, check=True)
    except FileNotFoundError:
        raise Missing(f"{command[0]} is not installed") from None
    except subprocess.TimeoutExpired:
        raise Missing(f"{' '.join(command[:3])} took over {INSTALL_S} s") from None
    except subprocess.CalledProcessError as error:
        last = (error.stderr.strip().splitlines() or ["no output"])[-1]
        raise Missing(f"{' '.join(command[:3])}: {last}") from None
    return ran.stdout


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def _await_port(port: int, process: subprocess.Popen[str]) -> None:
    until = time.monotonic() + 30
    while time.monotonic() < until and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.1)
    raise Missing("gunicorn did not open its port")
