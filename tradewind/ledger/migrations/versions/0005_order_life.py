"""What is due for an order, and where its money and its goods stand."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

V_ORDERS = """
        SELECT id AS order_id, connection, external_id, name, state, live, test, on_hold, placed_at, processed_at,
               updated_at, cancelled_at, currency, subtotal, discounts, shipping, tax, tip, duties, total,
               taxes_included, fully_paid, due, captured, refunded, payment_state, fulfilment_state, risk,
               presentment_total, presentment_currency, recorded_at, changed_at
        FROM orders"""


def upgrade() -> None:
    op.add_column("orders", sa.Column("due", sa.BigInteger(), nullable=True))
    for name in ("payment_state", "fulfilment_state", "risk"):
        op.add_column("orders", sa.Column(name, sa.Text(), nullable=True))
    # Until an order is told of again, nothing is known to have been taken off it.
    op.execute("UPDATE orders SET due = total")
    op.execute("DROP VIEW v_orders")
    op.execute(f"CREATE VIEW v_orders AS {V_ORDERS}")
