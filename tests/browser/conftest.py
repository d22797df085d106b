"""A shop that has sold and reconciled, with Prefect's pages open in headless Chromium."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, sync_playwright

from tests.contracts import not_checked
from tradewind.demo.receiver import AlertReceiver
from tradewind.demo.scenario import Plan, Scenario
from tradewind.settings import Settings
from tradewind.stack.ports import free_port

CHROMIUM = Path("/usr/bin/chromium")
ORDERS = 6


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scenario]:
    """The demo with a few orders, after its reconciliation; its parts are up and at work: no longer than needed."""
    if not CHROMIUM.exists():
        not_checked(f"{CHROMIUM} is missing: nobody looked at the pages")
    settings = Settings(state_dir=tmp_path_factory.mktemp("shop"), gateway_port=free_port(), prefect_port=free_port())
    plan = Plan(orders=ORDERS, seed=1, faults="none", replay=None, rate_per_s=2.0, life="plain")
    with AlertReceiver() as receiver:
        scenario = Scenario(plan, settings, receiver, lambda *_: None)
        try:
            scenario.run()
            yield scenario
        finally:
            scenario.stop()


@pytest.fixture
def page(shop: Scenario) -> Iterator[Page]:
    """An empty page of a browser with an empty profile."""
    arguments = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=arguments)
        page = browser.new_page(viewport={"width": 1280, "height": 800}, device_scale_factor=1)
        page.set_default_timeout(30_000)
        yield page
        browser.close()
