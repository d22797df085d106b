"""Shopify, as its Admin GraphQL API 2026-10 and its webhooks say it is."""

from tradewind.sandbox.shopify.accounts import create_accounts
from tradewind.sandbox.shopify.order import OrderLine, PlacedLine, StoreOrder
from tradewind.sandbox.shopify.routes import fault_answer, routes
from tradewind.sandbox.shopify.store import ShopifyStore

__all__ = ["OrderLine", "PlacedLine", "ShopifyStore", "StoreOrder", "create_accounts", "fault_answer", "routes"]
