"""`serve` in this process: it opens, it answers, a signal ends it, and the signals are as before."""

import os
import signal
import threading
from pathlib import Path

import httpx
import pytest

from tradewind.errors import ConfigurationError
from tradewind.gateway.serve import serve
from tradewind.ledger.engine import migrate
from tradewind.settings import Settings


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_serves_until_a_signal_and_returns(tmp_path: Path, host: str, number: signal.Signals) -> None:
    settings = Settings(state_dir=tmp_path)
    migrate(settings)
    before = signal.getsignal(number)
    answers: list[int] = []

    def ask_and_end(url: str) -> None:
        try:
            answers.append(httpx.get(f"{url}/readyz", trust_env=False).status_code)
        finally:
            os.kill(os.getpid(), number)

    def on_ready(url: str) -> None:
        threading.Thread(target=ask_and_end, args=(url,)).start()

    serve(settings, host, 0, on_ready=on_ready)
    assert answers == [200]
    assert signal.getsignal(number) is before


def test_a_ledger_that_is_not_migrated_is_refused_before_anything_is_answered(tmp_path: Path) -> None:
    opened: list[str] = []
    with pytest.raises(ConfigurationError, match="not set up"):
        serve(Settings(state_dir=tmp_path), "127.0.0.1", 0, on_ready=opened.append)
    assert opened == []


def test_an_address_that_is_not_ours_is_named(tmp_path: Path) -> None:
    settings = Settings(state_dir=tmp_path)
    migrate(settings)
    with pytest.raises(ConfigurationError, match="cannot listen there"):
        serve(settings, "192.0.2.1", 0)
