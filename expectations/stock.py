"""What must hold for the stock of every SKU at every location. Importing this module imports Great Expectations."""

from expectations.quiet import Column, gx, gxe
from expectations.rules import rule

LIMITED = Column("limited") == True  # noqa: E712 - builds a condition


def suite() -> gx.ExpectationSuite:
    """Over `frames.stock_frame`."""
    return gx.ExpectationSuite(
        name="stock",
        expectations=[
            gxe.ExpectColumnValuesToBeBetween(
                column="available",
                min_value=0,
                row_condition=LIMITED,
                **rule(
                    "nothing_is_oversold",
                    "Nothing is sold beyond what is there, unless backorders are allowed.",
                    "Count the shelf; restock it, tell the shoppers who wait, or allow backorders in the store.",
                ),
            ),
            gxe.ExpectColumnValuesToBeBetween(
                column="on_hand",
                min_value=0,
                row_condition=LIMITED,
                **rule(
                    "shelf_is_not_below_zero",
                    "No shelf holds fewer than zero units.",
                    "More was shipped than was ever counted: run catalog-sync, then count the shelf.",
                ),
            ),
            gxe.ExpectColumnValuesToBeBetween(
                column="reserved",
                min_value=0,
                **rule(
                    "reservation_is_not_below_zero",
                    "No more is released or shipped than was reserved.",
                    "Keep a backup of the ledger and report it as a fault of tradewind.",
                ),
            ),
            gxe.ExpectColumnValuesToBeInSet(
                column="in_catalogue",
                value_set=[True],
                **rule(
                    "stocked_sku_is_known",
                    "Every SKU in stock is in the catalogue.",
                    "Run catalog-sync; if the SKU is still unknown, the product was deleted or renamed in the store.",
                ),
            ),
            gxe.ExpectCompoundColumnsToBeUnique(
                column_list=["sku", "location"],
                **rule(
                    "stock_is_kept_once",
                    "Each SKU has one stock level at a location.",
                    "Keep a backup of the ledger and report it as a fault of tradewind.",
                ),
            ),
        ],
    )
