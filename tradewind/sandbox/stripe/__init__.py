"""Stripe, simulated at API version 2026-07-29.dahlia: card payments, refunds, balance, events, webhook endpoints."""

from typing import Final

from starlette.routing import BaseRoute

from tradewind.sandbox.kernel import Sandbox
from tradewind.sandbox.stripe.account import StripeAccount
from tradewind.sandbox.stripe.errors import fault_answer

__all__ = ["TAKES_FAULTS", "StripeAccount", "create_accounts", "fault_answer", "routes"]

# A 500 may be kept for its idempotency key, and a slow request holds its key: only Stripe's own rooms can do that.
TAKES_FAULTS: Final = True


def create_accounts(sandbox: Sandbox) -> dict[str, StripeAccount]:
    """The merchant's one account."""
    return {"main": StripeAccount(sandbox, "main")}


def routes(sandbox: Sandbox) -> list[BaseRoute]:
    """Every account under its own path."""
    from tradewind.sandbox.stripe.api import account_routes

    return [account_routes(account) for account in sandbox.stripe.values()]
