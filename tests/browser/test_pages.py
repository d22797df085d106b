"""The pages that operations look at, seen in a browser: what was deployed, what a reconciliation left."""

import os
import re
from pathlib import Path

import pytest
import yaml
from playwright.sync_api import Page, expect

from tradewind.demo.scenario import Scenario
from tradewind.stack.environment import prefect_ui_url

REPOSITORY = Path(__file__).resolve().parents[2]
IMAGES = REPOSITORY / "docs" / "images"

# The shop is opened within the first test's time.
pytestmark = [pytest.mark.xdist_group("server"), pytest.mark.timeout(420)]


def test_every_deployment_is_listed(shop: Scenario, page: Page) -> None:
    page.goto(f"{prefect_ui_url(shop.stack.settings)}/deployments")
    deployed = yaml.safe_load((REPOSITORY / "deployments" / "prefect.yaml").read_text())["deployments"]
    for one in deployed:
        expect(page.get_by_text(one["name"], exact=True).first).to_be_visible()
    expect(page.get_by_text(f"{len(deployed)} Deployments")).to_be_visible()
    picture(page, "deployments")


def test_a_backfill_is_started_from_a_form(shop: Scenario, page: Page) -> None:
    page.goto(f"{prefect_ui_url(shop.stack.settings)}/deployments")
    page.get_by_text("backfill", exact=True).first.click()
    page.get_by_text("Run", exact=True).click()
    page.get_by_text("Custom run", exact=True).click()
    expect(page.get_by_text("Such as shopify:north.")).to_be_visible()
    expect(page.get_by_text("Start of the span.")).to_be_visible()


def test_a_reconciliation_run_shows_what_differs(shop: Scenario, page: Page) -> None:
    open_reconciliation(shop, page)
    expect(page.get_by_text("Completed", exact=True).first).to_be_visible()
    picture(page, "reconciliation")
    open_artifact(page, "books")
    expect(page.get_by_role("heading", name="Refund mismatch (1)")).to_be_visible()
    expect(page.get_by_text("The store and the processor do not agree on how much was given back.")).to_be_visible()
    picture(page, "books")


def test_a_reconciliation_run_shows_which_expectation_failed(shop: Scenario, page: Page) -> None:
    open_reconciliation(shop, page)
    open_artifact(page, "validation")
    expect(page.get_by_role("heading", name=re.compile(r"^1 of \d+ expectations do not hold$"))).to_be_visible()
    expect(page.get_by_text("Nothing is shipped before it is paid.")).to_be_visible()
    picture(page, "validation")


def open_reconciliation(shop: Scenario, page: Page) -> None:
    page.goto(f"{prefect_ui_url(shop.stack.settings)}/runs")
    page.get_by_role("link", name=re.compile("^books of ")).first.click()
    page.wait_for_url("**/runs/flow-run/*")


def open_artifact(page: Page, key: str) -> None:
    """Open an artifact of the run's tasks; the page loads them when they come into sight."""
    page.set_viewport_size({"width": 1280, "height": 1400})
    page.get_by_text("Artifacts", exact=True).click()
    page.get_by_role("link", name=re.compile(rf"\b{key}\b")).last.click()
    page.wait_for_url("**/artifacts/artifact/*")
    page.set_viewport_size({"width": 1280, "height": 800})


def picture(page: Page, name: str) -> None:
    """With TRADEWIND_SCREENSHOTS=1, the picture of the page that docs/ shows."""
    if os.environ.get("TRADEWIND_SCREENSHOTS") == "1":
        page.wait_for_load_state("networkidle")
        page.screenshot(path=IMAGES / f"{name}.png", animations="disabled")
