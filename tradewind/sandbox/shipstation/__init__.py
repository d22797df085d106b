"""ShipStation API v2 and ShipEngine v1, simulated: one API under two prefixes."""

from starlette.routing import BaseRoute

from tradewind.sandbox.kernel import Sandbox
from tradewind.sandbox.shipstation.account import ShipStationAccount

__all__ = ["ShipStationAccount", "create_accounts", "routes"]


def create_accounts(sandbox: Sandbox) -> dict[str, ShipStationAccount]:
    """The merchant's one account."""
    return {"main": ShipStationAccount(sandbox, "main")}


def routes(sandbox: Sandbox) -> list[BaseRoute]:
    """Every account under its own path."""
    from tradewind.sandbox.shipstation.api import account_routes

    return [account_routes(account) for account in sandbox.shipstation.values()]
