"""The gateway's pages in a browser: on a desk and on a phone, by keyboard, with and without scripts, for everybody."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import pytest
import uvicorn
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.browser.conftest import CHROMIUM
from tests.integration.ledger.examples import until
from tests.shop_ledger import ORDER, fill
from tradewind.gateway.app import create_app
from tradewind.gateway.pages.site import Site
from tradewind.gateway.store import LedgerStore
from tradewind.ledger import captures, inbox
from tradewind.ledger.engine import open_ledger
from tradewind.settings import Settings
from tradewind.stack.ports import free_port

TOKEN = "a token of some length"
IMAGES = Path(__file__).resolve().parents[2] / "docs" / "images"
DESK, PHONE = {"width": 1280, "height": 860}, {"width": 390, "height": 844}
PAGES = {
    "deliveries": "/deliveries",
    "delivery": "/deliveries/4",
    "dead-delivery": "/deliveries/7",
    "orders": "/orders?name=1042",
    "order": f"/orders/{quote(ORDER, safe='')}",
    "dead-letters": "/dead-letters",
    "captures": "/captures",
    "nothing-there": "/deliveries/999",
}

pytestmark = [pytest.mark.xdist_group("pages"), pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return Settings(state_dir=tmp_path_factory.mktemp("pages"))


@pytest.fixture(scope="module")
def address(settings: Settings) -> Iterator[str]:
    """A gateway over a filled ledger, in a thread of its own."""
    if not CHROMIUM.exists():
        pytest.skip(f"{CHROMIUM} is missing: nobody looked at the pages")
    ledger = open_ledger(settings, migrate=True)
    fill(ledger)
    with ledger.write() as conn:
        captures.start(conn, "/hooks/shopify/west", minutes=30, actor="ada")
    ledger.close()
    store, port = LedgerStore(lambda: open_ledger(settings)), free_port()
    app = create_app(store, site=Site(lambda: open_ledger(settings), TOKEN))
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_level="warning", ws="none"))
    thread = threading.Thread(target=server.run)
    thread.start()
    until(lambda: server.started)
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join(30)
    store.close()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox", "--disable-gpu"])
        yield browser
        browser.close()


@contextmanager
def visit(browser: Browser, address: str, **options: object) -> Iterator[Page]:
    """A page that has logged in, and on which no script failed and nothing was refused by the page's own policy."""
    context: BrowserContext = browser.new_context(base_url=address, **{"viewport": DESK, **options})  # type: ignore[arg-type]
    page = context.new_page()
    page.set_default_timeout(30_000)
    faults: list[str] = []
    page.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.goto("/deliveries")
    page.get_by_label("Token").fill(TOKEN)
    page.get_by_role("main").get_by_role("button", name="Log in").click()
    expect(page.get_by_role("heading", name="Deliveries")).to_be_visible()
    yield page
    context.close()
    assert [fault for fault in faults if "404" not in fault] == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("viewport", [DESK, PHONE], ids=["desk", "phone"])
def test_every_page_fits_and_is_accessible(
    browser: Browser, address: str, viewport: dict[str, int], scheme: str
) -> None:
    with visit(browser, address, viewport=viewport, color_scheme=scheme) as page:
        for name, path in PAGES.items():
            page.goto(path)
            for summary in page.locator("summary").all():
                summary.click()
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), name
            found = Axe().run(page)
            assert found.violations_count == 0, f"{name}: {found.generate_report()}"
            if scheme == "light":
                page.goto(path)
                picture(page, f"{name}-phone" if viewport == PHONE else name)


def test_the_login_is_accessible_and_says_what_is_wrong(browser: Browser, address: str) -> None:
    context = browser.new_context(base_url=address, viewport=PHONE)  # type: ignore[arg-type]
    page = context.new_page()
    page.goto("/orders")
    page.get_by_label("Token").fill("not the token")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_have_text("That is not the token.")
    assert Axe().run(page).violations_count == 0
    page.get_by_label("Token").fill(TOKEN)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Orders")).to_be_visible()
    context.close()


def test_a_delivery_is_found_and_replayed_by_keyboard_alone(browser: Browser, address: str, settings: Settings) -> None:
    with visit(browser, address) as page:
        page.keyboard.press("Tab")
        expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
        page.get_by_label("State").focus()
        page.keyboard.type("dead")
        expect(page.locator("#rows tr")).to_have_count(1)
        assert "state=dead" in page.url
        page.get_by_role("checkbox", name="Choose delivery 7").focus()
        page.keyboard.press("Space")
        page.get_by_role("button", name="Replay the chosen ones").focus()
        page.keyboard.press("Enter")
        expect(page.get_by_role("link", name="delivery 7")).to_be_visible()
    ledger = open_ledger(settings)
    with ledger.read() as conn:
        assert inbox.search(conn, limit=1)[0].replay_of == 7
    ledger.close()


def test_older_deliveries_are_added_below(browser: Browser, address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tradewind.gateway.pages.deliveries.PAGE", 4)
    with visit(browser, address) as page:
        page.goto("/deliveries?order=%231042")
        expect(page.locator("#rows tr")).to_have_count(4)
        page.get_by_role("link", name="Older deliveries").click()
        expect(page.locator("#rows tr")).to_have_count(5)
        expect(page.get_by_text("These are all.")).to_be_visible()


def test_the_search_works_without_scripts(browser: Browser, address: str) -> None:
    with visit(browser, address, java_script_enabled=False) as page:
        page.get_by_label("Order").fill("#1042")
        page.get_by_role("button", name="Search").click()
        expect(page.locator("#rows tr")).to_have_count(5)


def test_an_id_is_copied(browser: Browser, address: str) -> None:
    with visit(browser, address, permissions=["clipboard-read", "clipboard-write"]) as page:
        page.goto(PAGES["order"])
        page.get_by_role("button", name="Copy pi-1").click()
        expect(page.get_by_role("status")).to_have_text("Copied pi-1")
        assert page.evaluate("navigator.clipboard.readText()") == "pi-1"


def test_two_stores_order_of_one_name_is_asked_for(browser: Browser, address: str) -> None:
    with visit(browser, address, viewport=PHONE) as page:
        page.goto("/orders")
        page.get_by_label("Name at the store").fill("1042")
        page.keyboard.press("Enter")
        expect(page.get_by_text("Which one?")).to_be_visible()
        page.locator("tr", has_text="shopify:north").get_by_role("link").click()
        expect(page.get_by_role("heading", name="Where it hangs")).to_be_visible()
        expect(page.get_by_text("the depot is being moved")).to_be_visible()


def picture(page: Page, name: str) -> None:
    """With TRADEWIND_SCREENSHOTS=1, the pictures that docs/ shows."""
    if os.environ.get("TRADEWIND_SCREENSHOTS") == "1" and name in ("deliveries", "order", "order-phone"):
        page.screenshot(path=IMAGES / f"page-{name}.png", animations="disabled", full_page=name != "order-phone")
