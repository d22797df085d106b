"""Prefect blocks: credentials and addresses in, a connection for the ledger out. One file per kind."""

from blocks.alert_channel import AlertChannel
from blocks.backoffice_journal import BackOfficeJournal
from blocks.connected_account import ConnectedAccount
from blocks.ledger import LedgerDatabase
from blocks.shipstation_account import ShipStationAccount
from blocks.shopify_store import ShopifyStore
from blocks.stripe_account import StripeAccount

ACCOUNT_BLOCKS: dict[str, type[ConnectedAccount]] = {
    "shopify": ShopifyStore,
    "stripe": StripeAccount,
    "shipstation": ShipStationAccount,
    "backoffice": BackOfficeJournal,
}
"""The block type of each provider's connections."""

__all__ = [
    "ACCOUNT_BLOCKS",
    "AlertChannel",
    "BackOfficeJournal",
    "ConnectedAccount",
    "LedgerDatabase",
    "ShipStationAccount",
    "ShopifyStore",
    "StripeAccount",
]
