"""Where people look at Stripe's objects: the dashboard, which shows live and test objects apart."""

from __future__ import annotations

from urllib.parse import quote

from tradewind.domain.connections import Connection

DASHBOARD = "https://dashboard.stripe.com"
_PAGES = {"payment": "payments", "charge": "payments", "refund": "refunds", "dispute": "disputes"}
_TEST_KEYS = ("sk_test_", "rk_test_")
_OWN_HOST = "https://api.stripe.com"


def admin_url(connection: Connection, kind: str, external_id: str) -> str | None:
    """The object's page, under `/test` for a connection with a test key; None for an account that is not at Stripe.

    Source: docs.stripe.com/stripe-apps/deep-links (`https://dashboard.stripe.com/<MODE>/<PAGE>`, the mode `test` or
    left out). Which page has an object under its id is not published; these are those that integrations link to.
    """
    page = _PAGES.get(kind)
    if page is None or connection.settings.get("base_url", _OWN_HOST).rstrip("/") != _OWN_HOST:
        return None
    mode = "/test" if connection.secrets.get("secret_key", "").startswith(_TEST_KEYS) else ""
    return f"{DASHBOARD}{mode}/{page}/{quote(external_id, safe='')}"
