"""The @idempotent directive, which some mutations require."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from graphql import get_directive_values

from tradewind.sandbox.shopify.pages import bad_request

if TYPE_CHECKING:
    from tradewind.sandbox.shopify.store import ShopifyStore


def once(store: ShopifyStore, info: Any, input: dict[str, Any], act: Callable[[], Any]) -> Any:
    """Carry a mutation out under its key; a repetition gives the first result.

    Raises GraphQLError without a key, and RefusalError as `IdempotencyKeys.once` does.
    Source: shopify.dev, "Idempotent requests": required by these mutations since 2026-04.
    """
    directive = info.schema.get_directive("idempotent")
    values = get_directive_values(directive, info.field_nodes[0], info.variable_values)
    if not values or not values["key"].strip():
        raise bad_request("The @idempotent directive is required for this mutation but was not provided.")
    arguments = json.dumps([info.field_name, input], sort_keys=True, default=str)
    return store.idempotency.once(values["key"], arguments, store.now(), act)
