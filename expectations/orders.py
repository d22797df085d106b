"""What must hold for every order. Importing this module imports Great Expectations."""

from expectations.quiet import Column, gx, gxe
from expectations.rules import rule

LIVE = Column("live") == True  # noqa: E712 - builds a condition
KEPT = Column("cancelled") == False  # noqa: E712
CANCELLED = Column("cancelled") == True  # noqa: E712
SHIPPED = Column("shipped") == True  # noqa: E712
CAPTURED = Column("has_capture") == True  # noqa: E712


def suite() -> gx.ExpectationSuite:
    """Over `frames.orders_frame`."""
    return gx.ExpectationSuite(name="orders", expectations=[*_amounts(), *_money(), *_parcels()])


def _amounts() -> list[gxe.Expectation]:
    return [
        gxe.ExpectCompoundColumnsToBeUnique(
            column_list=["connection", "order_id"],
            **rule(
                "order_is_recorded_once",
                "Each order is in the books once.",
                "Do not ship anything of it yet; keep a backup of the ledger and report it as a fault of tradewind.",
            ),
        ),
        gxe.ExpectColumnPairValuesToBeEqual(
            column_A="parts_total",
            column_B="total",
            **rule(
                "totals_add_up",
                "Goods, shipping, tax, tip and duties add up to the order's total, to the cent.",
                "Open the order in the store and compare it with the record; replay its last delivery.",
            ),
        ),
        gxe.ExpectColumnPairValuesToBeEqual(
            column_A="lines_total",
            column_B="subtotal",
            **rule(
                "lines_add_up",
                "The order's lines, less their discounts, add up to its subtotal, to the cent.",
                "Open the order in the store: a line or a discount is missing in the record; replay its last delivery.",
            ),
        ),
        gxe.ExpectColumnValuesToBeBetween(
            column="total",
            min_value=0,
            **rule(
                "total_is_not_negative",
                "No order has a total below zero.",
                "Book what is owed to a customer as a refund or a credit note, not as an order.",
            ),
        ),
        gxe.ExpectColumnValuesToBeBetween(
            column="unknown_skus",
            max_value=0,
            **rule(
                "sku_is_known",
                "Every SKU that was ordered is in the catalogue.",
                "Run catalog-sync; if the SKU is still unknown, the product was deleted or renamed in the store.",
            ),
        ),
    ]


def _money() -> list[gxe.Expectation]:
    return [
        gxe.ExpectColumnPairValuesToBeEqual(
            column_A="captured",
            column_B="due",
            row_condition=LIVE & KEPT & CAPTURED,
            **rule(
                "capture_equals_total",
                "An order whose money was captured has charges of exactly what is due for it.",
                "Compare the order with its payment at the processor; charge or refund the difference.",
            ),
        ),
        gxe.ExpectColumnPairValuesAToBeGreaterThanB(
            column_A="captured",
            column_B="due",
            or_equal=True,
            row_condition=LIVE & KEPT & SHIPPED,
            **rule(
                "shipped_is_paid",
                "Nothing is shipped before it is paid.",
                "Stop the parcel if it has not left; else collect the payment from the shopper.",
            ),
        ),
    ]


def _parcels() -> list[gxe.Expectation]:
    return [
        gxe.ExpectColumnValuesToBeBetween(
            column="live_labels",
            max_value=0,
            row_condition=CANCELLED,
            **rule(
                "cancelled_has_no_label",
                "A cancelled order has no live label.",
                "Stop the parcel and void the label at the carrier.",
            ),
        ),
        gxe.ExpectColumnValuesToBeBetween(
            column="labels_of_one_parcel",
            max_value=1,
            **rule(
                "one_label_per_parcel",
                "Each parcel has at most one live label.",
                "Void every label but the one that is on the parcel.",
            ),
        ),
    ]
