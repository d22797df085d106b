"""What must hold after a reconciliation: nothing is left unexplained.

Importing this module imports Great Expectations.
"""

from expectations.quiet import gx, gxe
from expectations.rules import rule
from tradewind.domain.discrepancies import DiscrepancyKind as Kind

MONEY = (
    Kind.AMOUNT_MISMATCH,
    Kind.MISSING_PAYMENT,
    Kind.STRAY_PAYMENT,
    Kind.UNCAPTURED,
    Kind.UNRELEASED,
    Kind.REFUND_MISMATCH,
)
PARCELS = (
    Kind.MISSING_LABEL,
    Kind.STRAY_LABEL,
    Kind.DUPLICATE_LABEL,
    Kind.LABEL_AFTER_CANCEL,
    Kind.UNSHIPPED,
    Kind.UNFULFILLED,
)


def suite() -> gx.ExpectationSuite:
    """Over `frames.books_frame`."""
    others = [kind for kind in Kind if kind not in (*MONEY, *PARCELS)]
    return gx.ExpectationSuite(
        name="books",
        expectations=[
            gxe.ExpectColumnValuesToNotBeInSet(
                column="kind",
                value_set=[kind.value for kind in MONEY],
                **rule(
                    "money_agrees",
                    "Every order's money is at the processor, and all money at the processor belongs to an order.",
                    "See each row: find the shopper; make the order, record the refund, or give the money back.",
                ),
            ),
            gxe.ExpectColumnValuesToNotBeInSet(
                column="kind",
                value_set=[kind.value for kind in PARCELS],
                **rule(
                    "parcels_agree",
                    "Every paid order has its parcel, and every parcel its order.",
                    "See each row: look for the command that the carrier or the store refused, and for its reason.",
                ),
            ),
            gxe.ExpectColumnValuesToNotBeInSet(
                column="kind",
                value_set=[kind.value for kind in others],
                **rule(
                    "ledger_is_up_to_date",
                    "The ledger has everything that store, processor, carrier and back office have.",
                    "A repair has not mended it: see the dead letters, then replay them.",
                ),
            ),
        ],
    )
