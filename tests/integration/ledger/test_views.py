import pandas as pd
import pytest

from tests.integration.ledger.examples import PERSONAL, PROCESSOR, STORE, order
from tradewind.ledger import orders
from tradewind.ledger.engine import Ledger
from tradewind.ledger.views import VIEWS


@pytest.fixture
def frames(ledger: Ledger) -> dict[str, pd.DataFrame]:
    """Every view of a ledger with one order, read by pandas."""
    with ledger.write() as conn:
        orders.save(conn, ledger.keys, order(), None)
    with ledger.read() as conn:
        return {name: pd.read_sql_query(f"SELECT * FROM {name}", conn) for name in VIEWS}


def test_views_tell_an_order_in_minor_units(frames: dict[str, pd.DataFrame]) -> None:
    (row,) = frames["v_orders"].to_dict("records")
    assert (row["order_id"], row["total"], row["captured"], row["refunded"]) == (f"{STORE}/1", 1250, 1250, 100)
    assert frames["v_lines"][["sku", "quantity", "unit_price"]].to_numpy().tolist() == [["SKU-1", 1, 1250]]
    assert frames["v_labels"][["label_id", "cost"]].to_numpy().tolist() == [["se-1", 310]]
    assert frames["v_refunds"][["connection", "amount"]].to_numpy().tolist() == [[PROCESSOR, 100]]


def test_payments_of_processor_and_storefront_stand_side_by_side(frames: dict[str, pd.DataFrame]) -> None:
    payments = frames["v_payments"].sort_values("captured")
    assert payments[["connection", "captured_by", "gateway", "captured"]].to_numpy().tolist() == [
        [STORE, "storefront", "gift_card", 250],
        [PROCESSOR, "processor", "stripe", 1000],
    ]
    assert payments["captured"].sum() == frames["v_orders"]["captured"].sum()


def test_views_hold_no_personal_data(frames: dict[str, pd.DataFrame]) -> None:
    text = " ".join(frame.to_string() for frame in frames.values()).lower()
    assert "#1042" in text
    for personal in PERSONAL:
        assert personal not in text
