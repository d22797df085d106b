"""The ledger's tables. In plain text: ids, states, amounts, SKUs, times; sealed: everything of a person."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    Float,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    String,
    Table,
    UniqueConstraint,
    text,
)

from tradewind.domain.commands import Lane
from tradewind.ledger.metadata import key_metadata as key_metadata
from tradewind.ledger.metadata import metadata as metadata
from tradewind.ledger.page_tables import capture as capture
from tradewind.ledger.page_tables import captured as captured
from tradewind.ledger.page_tables import order_change as order_change
from tradewind.ledger.pruned_tables import pruned_delivery as pruned_delivery
from tradewind.ledger.types import BigId, PlainText, UtcDateTime
from tradewind.ledger.watch_tables import dead_letter as dead_letter
from tradewind.ledger.watch_tables import dead_letter_group as dead_letter_group
from tradewind.ledger.watch_tables import sweep_day as sweep_day

HAS_ORDER = text("order_id IS NOT NULL")
WAITS = text("waits_for IS NOT NULL")
REPLAYS = text("replay_of IS NOT NULL")

inbox = Table(
    "inbox",
    metadata,
    Column("id", BigId, primary_key=True),
    Column("connection", PlainText, nullable=False),
    Column("source", PlainText, nullable=False),  # webhook, poll, outcome, replay
    Column("delivery_key", PlainText, nullable=False),
    Column("topic", PlainText, nullable=False),
    Column("format", PlainText, nullable=False),  # raw, event
    Column("lane", SmallInteger, nullable=False),
    Column("sealed", LargeBinary, nullable=False),  # headers and body
    Column("occurred_at", UtcDateTime),
    Column("received_at", UtcDateTime, nullable=False),
    Column("state", PlainText, nullable=False),  # received, claimed, applied, superseded, parked, dead
    Column("reason", PlainText),
    Column("order_id", PlainText),
    Column("waits_for", PlainText),
    Column("attempts", Integer, nullable=False, default=0, server_default="0"),
    Column("epoch", Integer, nullable=False, default=0, server_default="0"),
    Column("claimed_by", PlainText),
    Column("lease_until", UtcDateTime),
    Column("finished_at", UtcDateTime),
    Column("repeats", Integer, nullable=False, default=0, server_default="0"),
    Column("replay_of", BigInteger),
    Column("correlation", PlainText),
    UniqueConstraint("connection", "source", "delivery_key"),
    Index(None, "state", "lane", "id"),
    Index(None, "order_id", sqlite_where=HAS_ORDER, postgresql_where=HAS_ORDER),
    Index(None, "waits_for", sqlite_where=WAITS, postgresql_where=WAITS),
    Index(None, "connection", "received_at"),
    Index(None, "replay_of", sqlite_where=REPLAYS, postgresql_where=REPLAYS),
)

outbox = Table(
    "outbox",
    metadata,
    Column("id", BigId, primary_key=True),
    Column("key", PlainText, nullable=False, unique=True),
    Column("generation", Integer, nullable=False, default=0, server_default="0"),
    Column("connection", PlainText, nullable=False),
    Column("resource", PlainText, nullable=False),  # connection/subject: one call about it in flight at a time
    Column("verb", PlainText, nullable=False),
    Column("writes", Boolean, nullable=False),
    Column("order_id", PlainText),
    Column("lane", SmallInteger, nullable=False),
    Column("command", PlainText, nullable=False),
    Column("state", PlainText, nullable=False),  # pending, in_flight, done, dead, cancelled
    Column("reason", PlainText),
    Column("detail", PlainText),
    Column("attempts", Integer, nullable=False, default=0, server_default="0"),
    Column("epoch", Integer, nullable=False, default=0, server_default="0"),
    Column("claimed_by", PlainText),
    Column("lease_until", UtcDateTime),
    Column("next_attempt_at", UtcDateTime, nullable=False),
    Column("first_attempt_at", UtcDateTime),
    Column("created_at", UtcDateTime, nullable=False),
    Column("finished_at", UtcDateTime),
    Index(None, "connection", "state", "lane", "next_attempt_at", "id"),
    Index(None, "order_id"),
    Index(None, "resource", "verb"),
    Index(None, "state"),
)

orders = Table(
    "orders",
    metadata,
    Column("id", PlainText, primary_key=True),
    Column("connection", PlainText, nullable=False),
    Column("external_id", PlainText, nullable=False),
    Column("name", PlainText),
    Column("state", PlainText, nullable=False),
    Column("live", Boolean, nullable=False),
    Column("test", Boolean, nullable=False),
    Column("on_hold", Boolean, nullable=False),
    Column("placed_at", UtcDateTime),
    Column("processed_at", UtcDateTime),
    Column("updated_at", UtcDateTime),  # at the storefront
    Column("cancelled_at", UtcDateTime),
    Column("currency", String(3)),
    Column("subtotal", BigInteger),
    Column("discounts", BigInteger),
    Column("shipping", BigInteger),
    Column("tax", BigInteger),
    Column("tip", BigInteger),
    Column("duties", BigInteger),
    Column("total", BigInteger),
    Column("taxes_included", Boolean),
    Column("fully_paid", Boolean),
    Column("due", BigInteger),  # of the total, what is on the order still, was paid back or is kept
    Column("captured", BigInteger),
    Column("refunded", BigInteger),
    Column("payment_state", PlainText),
    Column("fulfilment_state", PlainText),
    Column("risk", PlainText),
    Column("presentment_total", BigInteger),
    Column("presentment_currency", String(3)),
    Column("record", PlainText, nullable=False),  # the order as JSON, without personal data
    Column("personal", LargeBinary),  # customer and addresses, sealed under the customer's key
    Column("email_index", PlainText),
    Column("phone_index", PlainText),
    Column("address_index", PlainText),
    Column("row_version", Integer, nullable=False),
    Column("recorded_at", UtcDateTime, nullable=False),
    Column("changed_at", UtcDateTime, nullable=False),
    UniqueConstraint("connection", "external_id"),
    Index(None, "name"),
    Index(None, "placed_at"),
    Index(None, "processed_at"),
    Index(None, "email_index"),
    Index(None, "phone_index"),
    Index(None, "address_index"),
)

order_line = Table(
    "order_line",
    metadata,
    Column("order_id", PlainText, primary_key=True),
    Column("external_id", PlainText, primary_key=True),
    Column("position", Integer, nullable=False),
    Column("sku", PlainText, index=True),
    Column("title", PlainText, nullable=False),
    Column("quantity", Integer, nullable=False),
    Column("current_quantity", Integer, nullable=False),
    Column("currency", String(3), nullable=False),
    Column("unit_price", BigInteger, nullable=False),
    Column("discount", BigInteger, nullable=False),
    Column("tax", BigInteger, nullable=False),
    Column("requires_shipping", Boolean, nullable=False),
)

payment = Table(
    "payment",
    metadata,
    Column("order_id", PlainText, primary_key=True),
    Column("connection", PlainText, primary_key=True),
    Column("external_id", PlainText, primary_key=True),
    Column("charge_id", PlainText),
    Column("kind", PlainText, nullable=False),  # processor payment, or the storefront's transaction kind
    Column("captured_by", PlainText, nullable=False),
    Column("gateway", PlainText),
    Column("state", PlainText, nullable=False),
    Column("currency", String(3), nullable=False),
    Column("authorized", BigInteger, nullable=False),
    Column("captured", BigInteger, nullable=False),
    Column("refunded", BigInteger, nullable=False),
    Column("payment_id", PlainText),
    Column("created_at", UtcDateTime),
)

refund = Table(
    "refund",
    metadata,
    Column("order_id", PlainText, primary_key=True),
    Column("connection", PlainText, primary_key=True),
    Column("external_id", PlainText, primary_key=True),
    Column("currency", String(3), nullable=False),
    Column("amount", BigInteger, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
)

label = Table(
    "label",
    metadata,
    Column("order_id", PlainText, primary_key=True),
    Column("connection", PlainText, primary_key=True),
    Column("external_id", PlainText, primary_key=True),
    Column("external_shipment_id", PlainText, nullable=False),
    Column("fulfillment_order_id", PlainText, nullable=False),
    Column("state", PlainText, nullable=False),
    Column("tracking_number", PlainText, index=True),
    Column("tracking_status", PlainText),
    Column("carrier", PlainText),
    Column("currency", String(3)),
    Column("cost", BigInteger),
    Column("created_at", UtcDateTime, nullable=False),
)

fulfillment = Table(
    "fulfillment",
    metadata,
    Column("order_id", PlainText, primary_key=True),
    Column("external_id", PlainText, primary_key=True),
    Column("fulfillment_order_id", PlainText),
    Column("status", PlainText, nullable=False),
    Column("tracking_number", PlainText),
    Column("created_at", UtcDateTime, nullable=False),
)

order_link = Table(
    "order_link",
    metadata,
    Column("link", PlainText, primary_key=True),
    Column("order_id", PlainText, nullable=False, index=True),
)

stock_movement = Table(
    "stock_movement",
    metadata,
    Column("id", BigId, primary_key=True),
    Column("cause", PlainText, nullable=False, unique=True),
    Column("sku", PlainText, nullable=False),
    Column("location", PlainText, nullable=False),
    Column("kind", PlainText, nullable=False),
    Column("quantity", Integer, nullable=False),
    Column("recorded_at", UtcDateTime, nullable=False),
    Index(None, "sku", "location"),
)

journal = Table(
    "journal",
    metadata,
    Column("connection", PlainText, primary_key=True),
    Column("document", PlainText, primary_key=True),
    Column("kind", PlainText, nullable=False),
    Column("reason", PlainText, nullable=False),
    Column("occurred_at", UtcDateTime, nullable=False),
    Column("business_day", Date, nullable=False, index=True),
    Column("currency", String(3), nullable=False),
    Column("total", BigInteger, nullable=False),
    Column("lines", PlainText, nullable=False),
    Column("recorded_at", UtcDateTime, nullable=False),
)

catalogue_item = Table(
    "catalogue_item",
    metadata,
    Column("connection", PlainText, primary_key=True),
    Column("external_id", PlainText, primary_key=True),
    Column("inventory_item_id", PlainText),
    Column("sku", PlainText, index=True),
    Column("title", PlainText, nullable=False),
    Column("currency", String(3), nullable=False),
    Column("price", BigInteger, nullable=False),
    Column("backorders", Boolean, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    Column("seen_at", UtcDateTime, nullable=False),
)

catalogue_level = Table(
    "catalogue_level",
    metadata,
    Column("connection", PlainText, primary_key=True),
    Column("external_id", PlainText, primary_key=True),
    Column("location", PlainText, primary_key=True),
    Column("location_name", PlainText, nullable=False),
    Column("on_hand", Integer, nullable=False),
    Column("available", Integer, nullable=False),
)

budget = Table(
    "budget",
    metadata,
    Column("connection", PlainText, primary_key=True),
    Column("tokens", Float, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
)

cursor = Table(
    "cursor",
    metadata,
    Column("name", PlainText, primary_key=True),
    Column("updated_at", UtcDateTime, nullable=False),
    Column("last_id", PlainText, nullable=False, default="", server_default=text("''")),
)

connection = Table(
    "connection",
    metadata,
    Column("key", PlainText, primary_key=True),
    Column("role", PlainText, nullable=False),
    Column("state", PlainText, nullable=False),
    Column("live_from", UtcDateTime),
    Column("settings", PlainText, nullable=False),
    Column("sealed", LargeBinary, nullable=False),  # secrets
    Column("revision", Integer, nullable=False),
    Column("paused_reason", PlainText),
    Column("changed_at", UtcDateTime, nullable=False),
)

discrepancy = Table(
    "discrepancy",
    metadata,
    Column("id", BigId, primary_key=True),
    Column("run_id", PlainText, nullable=False, index=True),  # the latest run that found it
    Column("kind", PlainText, nullable=False),
    Column("subject", PlainText, nullable=False),
    Column("expected", PlainText),
    Column("found", PlainText),
    Column("currency", String(3)),
    Column("amount", BigInteger),
    Column("detail", PlainText, nullable=False, default="", server_default=text("''")),
    Column("state", PlainText, nullable=False),  # open, repaired, explained, gone
    Column("resolution", PlainText),
    Column("first_found_at", UtcDateTime, nullable=False),
    Column("last_found_at", UtcDateTime, nullable=False),
    Column("resolved_at", UtcDateTime),
    Index(None, "kind", "subject", "state"),
)

audit = Table(
    "audit",
    metadata,
    Column("seq", BigId, primary_key=True, autoincrement=False),
    Column("at", UtcDateTime, nullable=False),
    Column("actor", PlainText, nullable=False),
    Column("action", PlainText, nullable=False),
    Column("detail", PlainText, nullable=False),
    Column("previous_hash", String(64), nullable=False),
    Column("hash", String(64), nullable=False),
)

worker = Table(
    "worker",
    metadata,
    Column("id", PlainText, primary_key=True),
    Column("kind", PlainText, nullable=False),
    Column("started_at", UtcDateTime, nullable=False),
    Column("seen_at", UtcDateTime, nullable=False),
)

data_key = Table(
    "data_key",
    key_metadata,
    Column("id", String(32), primary_key=True),
    Column("subject", PlainText, unique=True),  # whose key it is; none for the key of one payload
    Column("master_key_id", String(16), nullable=False),
    Column("wrapped", LargeBinary),  # none once erased
    Column("created_at", UtcDateTime, nullable=False),
    Column("erased_at", UtcDateTime),
)

LANES: tuple[Lane, ...] = ("critical", "normal", "deferred")
"""Lanes in the order in which they go; the tables hold the place in it."""
