"""Stripe, simulated at API version 2026-07-29.dahlia: card payments, refunds, balance, events, webhook endpoints."""

from starlette.routing import BaseRoute

from tradewind.sandbox.kernel import Sandbox
from tradewind.sandbox.stripe.account import StripeAccount

__all__ = ["StripeAccount", "create_accounts", "routes"]


def create_accounts(sandbox: Sandbox) -> dict[str, StripeAccount]:
    """The merchant's one account."""
    return {"main": StripeAccount(sandbox, "main")}


def routes(sandbox: Sandbox) -> list[BaseRoute]:
    """Every account under its own path."""
    from tradewind.sandbox.stripe.api import account_routes

    return [account_routes(account) for account in sandbox.stripe.values()]
