"""What must hold for every payment at a processor. Importing this module imports Great Expectations."""

from expectations.quiet import gx, gxe
from expectations.rules import rule


def suite() -> gx.ExpectationSuite:
    """Over `frames.payments_frame`."""
    return gx.ExpectationSuite(
        name="payments",
        expectations=[
            gxe.ExpectCompoundColumnsToBeUnique(
                column_list=["connection", "payment"],
                **rule(
                    "payment_belongs_to_one_order",
                    "A payment belongs to one order.",
                    "Two orders claim the same money: compare both with the payment's metadata at the processor.",
                ),
            ),
            gxe.ExpectColumnPairValuesAToBeGreaterThanB(
                column_A="captured",
                column_B="refunded",
                or_equal=True,
                **rule(
                    "refund_is_within_capture",
                    "No more is given back than was captured.",
                    "Look at the payment's refunds at the processor: one was made twice, or by hand as well.",
                ),
            ),
            gxe.ExpectColumnPairValuesAToBeGreaterThanB(
                column_A="authorized",
                column_B="captured",
                or_equal=True,
                **rule(
                    "capture_is_within_authorisation",
                    "No more is captured than the shopper authorised.",
                    "Refund the difference at the processor and tell the shopper.",
                ),
            ),
            gxe.ExpectColumnPairValuesToBeEqual(
                column_A="currency",
                column_B="order_currency",
                **rule(
                    "payment_is_in_the_orders_currency",
                    "A payment is in the currency of its order.",
                    "Compare the checkout's currency with the store's; refund and charge again if it was converted.",
                ),
            ),
        ],
    )
