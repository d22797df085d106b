"""SQL views for pandas and Great Expectations: no personal data, amounts in minor units, times in UTC.

A view that changes gets a migration of its own; `tests/integration/ledger/test_migrations.py` holds both together.
"""

VIEWS = {
    "v_orders": """
        SELECT id AS order_id, connection, external_id, name, state, live, test, on_hold, placed_at, processed_at,
               updated_at, cancelled_at, currency, subtotal, discounts, shipping, tax, tip, duties, total,
               taxes_included, fully_paid, due, captured, refunded, payment_state, fulfilment_state, risk,
               presentment_total, presentment_currency, recorded_at, changed_at
        FROM orders""",
    "v_lines": """
        SELECT l.order_id, o.connection, o.name AS order_name, o.placed_at, l.external_id AS line_id, l.position, l.sku,
               l.title, l.quantity, l.current_quantity, l.currency, l.unit_price, l.discount, l.tax, l.requires_shipping
        FROM order_line l JOIN orders o ON o.id = l.order_id""",
    "v_payments": """
        SELECT p.order_id, o.connection AS order_connection, o.name AS order_name, p.connection,
               p.external_id AS payment_external_id, p.charge_id, p.kind, p.captured_by, p.gateway, p.state, p.currency,
               p.authorized, p.captured, p.refunded, p.payment_id, p.created_at
        FROM payment p JOIN orders o ON o.id = p.order_id""",
    "v_refunds": """
        SELECT r.order_id, o.connection AS order_connection, o.name AS order_name, r.connection,
               r.external_id AS refund_id, r.currency, r.amount, r.created_at
        FROM refund r JOIN orders o ON o.id = r.order_id""",
    "v_labels": """
        SELECT l.order_id, o.connection AS order_connection, o.name AS order_name, l.connection,
               l.external_id AS label_id, l.external_shipment_id, l.fulfillment_order_id, l.state, l.tracking_number,
               l.tracking_status, l.carrier, l.currency, l.cost, l.created_at
        FROM label l JOIN orders o ON o.id = l.order_id""",
    "v_stock": """
        SELECT sku, location, on_hand, reserved, on_hand - reserved AS available
        FROM (SELECT sku, location,
                     SUM(CASE WHEN kind IN ('counted', 'adjusted', 'returned') THEN quantity
                              WHEN kind = 'shipped' THEN -quantity ELSE 0 END) AS on_hand,
                     SUM(CASE WHEN kind = 'reserved' THEN quantity
                              WHEN kind IN ('released', 'shipped') THEN -quantity ELSE 0 END) AS reserved
              FROM stock_movement GROUP BY sku, location) AS movements""",
    "v_journal": """
        SELECT connection, document, kind, reason, occurred_at, business_day, currency, total, recorded_at
        FROM journal""",
}
