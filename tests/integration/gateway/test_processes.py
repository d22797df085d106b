"""The gateway in several processes at one address: how they start, are replaced, and end."""

import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import httpx
import psutil
import pytest

from tests.integration.gateway.processes import gateway
from tests.integration.gateway.test_process import keys, post, until_ended
from tradewind.errors import ConfigurationError
from tradewind.gateway.serve import serve
from tradewind.ledger.engine import Ledger
from tradewind.settings import Settings

COUNT = 2


@contextmanager
def several(settings: Settings) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The gateway in two processes, which are gone in the end."""
    with gateway(settings, TRADEWIND_GATEWAY_PROCESSES=str(COUNT)) as (process, url):
        left = psutil.Process(process.pid).children()
        try:
            yield process, url
        finally:
            for each in left:
                if each.is_running():
                    each.kill()


def until(reached: Callable[[], bool]) -> None:
    """Wait, for a bounded time, until the condition holds."""
    ends = time.monotonic() + 30
    while not reached():
        assert time.monotonic() < ends
        time.sleep(0.05)


def working(process: subprocess.Popen[str]) -> list[psutil.Process]:
    return [each for each in psutil.Process(process.pid).children() if each.status() != psutil.STATUS_ZOMBIE]


def test_each_takes_a_share_of_the_connections(settings: Settings, ledger: Ledger) -> None:
    with several(settings) as (process, url):
        assert len(working(process)) == COUNT
        clients = [httpx.Client(base_url=url, trust_env=False) for _ in range(40)]
        for number, client in enumerate(clients):
            assert post(client, f"d{number}").status_code == 200
        connected = [
            sum(one.status == psutil.CONN_ESTABLISHED and one.laddr.port == int(url.rpartition(":")[2]) for one in each)
            for each in (one.net_connections("tcp") for one in working(process))
        ]
        for client in clients:
            client.close()
    assert sum(connected) == 40
    assert min(connected) > 4
    assert keys(ledger) == {f"d{number}" for number in range(40)}


def test_one_that_dies_is_replaced_and_whoever_connects_meanwhile_is_answered(
    settings: Settings, ledger: Ledger
) -> None:
    with several(settings) as (process, url):
        first, other = working(process)
        first.kill()
        for number in range(20):
            with httpx.Client(base_url=url, trust_env=False, timeout=30) as client:
                assert post(client, f"d{number}").status_code == 200
        until(lambda: len({each.pid for each in working(process)} - {first.pid}) == COUNT)
        assert other in working(process)
    assert len(keys(ledger)) == 20


def test_sigterm_ends_all_of_them_in_order(settings: Settings, ledger: Ledger) -> None:
    with several(settings) as (process, url):
        workers = working(process)
        acknowledged = until_ended(signal.SIGTERM, process, url)
        assert process.returncode == 0
        assert not any(each.is_running() for each in workers)
    assert len(acknowledged) > 8
    assert acknowledged == keys(ledger)


def test_none_outlives_the_one_that_started_it(settings: Settings, ledger: Ledger) -> None:
    with several(settings) as (process, _):
        workers = working(process)
        process.kill()
        process.wait()
        until(lambda: not any(each.is_running() and each.status() != psutil.STATUS_ZOMBIE for each in workers))


def test_a_port_that_another_gateway_serves_is_refused(settings: Settings, ledger: Ledger) -> None:
    more = settings.model_copy(update={"gateway_processes": COUNT})
    with several(settings) as (_, url), pytest.raises(ConfigurationError, match="cannot listen there"):
        serve(more, "127.0.0.1", int(url.rpartition(":")[2]))
