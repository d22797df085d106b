"""Discrepancies: what two systems say differently of the same thing, in words a merchant understands."""

from __future__ import annotations

from enum import StrEnum
from types import MappingProxyType
from typing import NamedTuple

from tradewind.domain.model import Model
from tradewind.domain.money import Money


class DiscrepancyKind(StrEnum):
    MISSING_ORDER = "missing_order"
    STALE_ORDER = "stale_order"
    AMOUNT_MISMATCH = "amount_mismatch"
    MISSING_PAYMENT = "missing_payment"
    UNRECORDED_PAYMENT = "unrecorded_payment"
    STALE_PAYMENT = "stale_payment"
    STRAY_PAYMENT = "stray_payment"
    UNCAPTURED = "uncaptured"
    UNRELEASED = "unreleased"
    REFUND_MISMATCH = "refund_mismatch"
    MISSING_LABEL = "missing_label"
    UNRECORDED_LABEL = "unrecorded_label"
    STALE_LABEL = "stale_label"
    STRAY_LABEL = "stray_label"
    DUPLICATE_LABEL = "duplicate_label"
    LABEL_AFTER_CANCEL = "label_after_cancel"
    UNSHIPPED = "unshipped"
    UNFULFILLED = "unfulfilled"
    JOURNAL_MISSING = "journal_missing"
    JOURNAL_MISMATCH = "journal_mismatch"
    JOURNAL_UNKNOWN = "journal_unknown"


class Explanation(NamedTuple):
    """meaning: one plain sentence. advice: what to do. ledger_lags: taking the provider's view in again mends it."""

    meaning: str
    advice: str
    ledger_lags: bool = False


_REENTERED = "Nothing to do: the repair takes it in again through the inbox."
_K = DiscrepancyKind

EXPLANATIONS = MappingProxyType(
    {
        _K.MISSING_ORDER: Explanation("The store has an order that the ledger does not have.", _REENTERED, True),
        _K.STALE_ORDER: Explanation("The store changed an order and the ledger has the older view.", _REENTERED, True),
        _K.AMOUNT_MISMATCH: Explanation(
            "The amount of an order and the amount of money taken for it differ.",
            "Compare the order in the store with the payment at the processor; charge or refund the difference.",
        ),
        _K.MISSING_PAYMENT: Explanation(
            "An order was to be paid at the processor, which has no payment for it.",
            "Look for the payment at the processor by the order's name; without one, ask the shopper to pay or cancel.",
        ),
        _K.UNRECORDED_PAYMENT: Explanation(
            "The processor has a payment of a known order that the ledger does not have.", _REENTERED, True
        ),
        _K.STALE_PAYMENT: Explanation(
            "The processor changed a payment and the ledger has the older view.", _REENTERED, True
        ),
        _K.STRAY_PAYMENT: Explanation(
            "The processor took or holds money that belongs to no order.",
            "Find the shopper from the payment at the processor; make the order or give the money back.",
        ),
        _K.UNCAPTURED: Explanation(
            "Money was authorised for an order and never captured.",
            "See the order's commands for a refusal; capture it at the processor before the authorisation expires.",
        ),
        _K.UNRELEASED: Explanation(
            "An order was cancelled and its shopper's money is still held.", "Cancel the payment at the processor."
        ),
        _K.REFUND_MISMATCH: Explanation(
            "The store and the processor do not agree on how much was given back.",
            "Record the refund in the store, or make it at the processor, whichever did not happen.",
        ),
        _K.MISSING_LABEL: Explanation(
            "The store was told that a parcel is on its way, and the carrier has no live label for it.",
            "Check the tracking number with the warehouse; buy the label, or take the fulfilment back in the store.",
        ),
        _K.UNRECORDED_LABEL: Explanation(
            "The carrier has a label of a known order that the ledger does not have.", _REENTERED, True
        ),
        _K.STALE_LABEL: Explanation("The carrier changed a label and the ledger has the older view.", _REENTERED, True),
        _K.STRAY_LABEL: Explanation(
            "The carrier sold a label that belongs to no order.", "Void it at the carrier unless it was bought by hand."
        ),
        _K.DUPLICATE_LABEL: Explanation(
            "More than one live label was bought for the same parcel.", "Void all but the one on the parcel."
        ),
        _K.LABEL_AFTER_CANCEL: Explanation(
            "An order is cancelled and a label of it is still live.", "Stop the parcel and void the label."
        ),
        _K.UNSHIPPED: Explanation(
            "An order is paid and no label was bought for it.",
            "See the order's commands for a refusal, such as an address that the carrier does not accept.",
        ),
        _K.UNFULFILLED: Explanation(
            "A label was bought and the store was not told that the parcel is on its way.",
            "See the order's commands for a refusal; mark the order as fulfilled in the store.",
        ),
        _K.JOURNAL_MISSING: Explanation(
            "The back office has a document that the ledger does not have.", _REENTERED, True
        ),
        _K.JOURNAL_MISMATCH: Explanation(
            "A document reads differently in the back office and in the ledger.",
            "A document is never changed after it is sent: ask the back office for a correcting document.",
        ),
        _K.JOURNAL_UNKNOWN: Explanation(
            "The ledger has a document that the back office does not list.",
            "Ask the back office whether the document was deleted, and have a correcting document sent.",
        ),
    }
)
"""What each kind means and what to do about it."""


class Discrepancy(Model):
    """One difference.

    subject: what it is about, an order id or `connection/kind/id`; with the kind it is the discrepancy's identity.
    name: the order's or document's name as people use it. expected, found: the two sides, for reading.
    difference: found less expected, where both are amounts.
    """

    kind: DiscrepancyKind
    subject: str
    order_id: str | None = None
    name: str | None = None
    expected: str = ""
    found: str = ""
    difference: Money | None = None

    @property
    def meaning(self) -> str:
        return EXPLANATIONS[self.kind].meaning

    @property
    def advice(self) -> str:
        return EXPLANATIONS[self.kind].advice

    @property
    def ledger_lags(self) -> bool:
        """Whether taking the provider's view in again mends it."""
        return EXPLANATIONS[self.kind].ledger_lags
