"""Which parts a sandbox has.

Each room (`tradewind.sandbox.shopify`, `.stripe`, …) offers the same functions:
`create_accounts(sandbox) -> dict[str, Account]`, each with `describe() -> dict`, and
`routes(sandbox) -> list[BaseRoute]`. Optional: `fault_answer(kind, rng) -> Response`, the provider's own words for an
injected "throttle_storm" or "server_error".
`world` offers `World(sandbox)` with `async stop()`; `control` offers `routes(sandbox)`.
"""

import importlib
import importlib.util
from types import ModuleType
from typing import Final

from starlette.routing import BaseRoute

from tradewind.sandbox.kernel import Sandbox

PROVIDERS: Final = ("shopify", "stripe", "shipstation", "backoffice")


def room(name: str) -> ModuleType | None:
    """The module of one part, if it is there."""
    full_name = f"tradewind.sandbox.{name}"
    if importlib.util.find_spec(full_name) is None:
        return None
    module = importlib.import_module(full_name)
    return module if hasattr(module, "World" if name == "world" else "routes") else None


def furnish(sandbox: Sandbox) -> None:
    """Give the sandbox its accounts, then its merchant."""
    for name in PROVIDERS:
        if module := room(name):
            getattr(sandbox, name).update(module.create_accounts(sandbox))
    if module := room("world"):
        sandbox.world = module.World(sandbox)


def routes(sandbox: Sandbox) -> list[BaseRoute]:
    """Every part's routes, each under its own path."""
    found: list[BaseRoute] = []
    for name in (*PROVIDERS, "control"):
        if module := room(name):
            found.extend(module.routes(sandbox))
    return found
