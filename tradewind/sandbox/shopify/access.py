"""Access scopes: who may ask for a field."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from graphql import GraphQLError

if TYPE_CHECKING:
    from tradewind.sandbox.shopify.store import ShopifyStore

Resolve = Callable[..., Any]


def guarded(store: ShopifyStore, scope: str, field: str, resolve: Resolve) -> Resolve:
    """The field for an app that has the scope; for others it is null, with an error beside the data."""

    def checked(info: Any, **arguments: Any) -> Any:
        # Who may write may read: so Shopify counts scopes.
        if scope not in store.scopes and scope.replace("read_", "write_") not in store.scopes:
            raise GraphQLError(
                f"Access denied for {field} field. Required access: `{scope}` access scope.",
                extensions={
                    "code": "ACCESS_DENIED",
                    "documentation": "https://shopify.dev/api/usage/access-scopes",
                    "requiredAccess": f"`{scope}` access scope.",
                },
            )
        return resolve(info, **arguments)

    return checked
