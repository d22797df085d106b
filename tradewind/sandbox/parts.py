"""Which parts a sandbox has, and how the composition root puts them in place.

Each provider's room offers `create_accounts(sandbox)`, whose accounts have `describe()`, and `routes(sandbox)`.
"""

from starlette.routing import BaseRoute

from tradewind.sandbox import backoffice, control, shipstation, shopify, stripe
from tradewind.sandbox.kernel import Sandbox
from tradewind.sandbox.world import World


def furnish(sandbox: Sandbox) -> None:
    """Give the sandbox its accounts, then its merchant."""
    sandbox.shopify.update(shopify.create_accounts(sandbox))
    sandbox.stripe.update(stripe.create_accounts(sandbox))
    sandbox.shipstation.update(shipstation.create_accounts(sandbox))
    sandbox.backoffice.update(backoffice.create_accounts(sandbox))
    sandbox.world = World(sandbox)


def routes(sandbox: Sandbox) -> list[BaseRoute]:
    """Every part's routes, each under its own path."""
    return [route for room in (shopify, stripe, shipstation, backoffice, control) for route in room.routes(sandbox)]
