"""What waits for its order, on both databases: parked, and taken when the order is known."""

from __future__ import annotations

from tests.integration.sync.records import drain, recorded, row, states, wanted
from tests.unit.domain.orders import (
    CARRIER,
    STORE,
    captured,
    label_observed,
    order_observed,
    payment_observed,
    refund_recorded,
    scanned,
    shipment_of,
    transaction,
)
from tests.unit.sync.desk import store, tell, told
from tradewind.ledger.engine import Ledger
from tradewind.sync.apply import Applied, Applier


class TestParking:
    def test_a_payment_waits_for_its_order(self, ledger: Ledger, applier: Applier) -> None:
        (payment,) = tell(ledger, payment_observed())
        assert applier.run_once() == Applied(taken=1)
        assert (row(ledger, payment).state, row(ledger, payment).waits_for) == ("parked", "payment_id/pay-1")
        tell(ledger, order_observed())
        drain(applier)
        assert row(ledger, payment).state == "applied"
        assert [one.external_id for one in recorded(ledger).payments] == ["pi-1"]
        assert wanted(ledger) == ["capture_payment"]

    def test_what_is_parked_in_the_batch_of_its_order_is_taken_next(self, ledger: Ledger, applier: Applier) -> None:
        ids = tell(ledger, payment_observed(), order_observed())
        assert drain(applier).taken == 3
        assert states(ledger, ids) == ["applied", "applied"]

    def test_a_label_waits_for_its_shipment(self, ledger: Ledger, applier: Applier) -> None:
        (label,) = tell(ledger, label_observed(), connection=CARRIER)
        applier.run_once()
        assert row(ledger, label).waits_for == f"shipment/{shipment_of('fo-1')}"
        tell(ledger, order_observed(fully_paid=True), captured())
        drain(applier)
        assert row(ledger, label).state == "applied"
        assert len(recorded(ledger).labels) == 1

    def test_a_scan_waits_for_its_label(self, ledger: Ledger, applier: Applier) -> None:
        (scan,) = tell(ledger, scanned("delivered"), connection=CARRIER)
        tell(ledger, order_observed(fully_paid=True), captured())
        drain(applier)
        assert row(ledger, scan).state == "parked"
        tell(ledger, label_observed())
        drain(applier)
        assert row(ledger, scan).state == "applied"
        assert recorded(ledger).labels[0].tracking_status == "delivered"

    def test_a_delivery_of_which_one_event_waits_is_taken_again_as_a_whole(
        self, ledger: Ledger, applier: Applier
    ) -> None:
        (id,) = store(ledger, told(order_observed(), payment_observed("pi-2", payment_id="pay-2"), key="both"))
        applier.run_once()
        assert row(ledger, id).state == "parked"
        assert recorded(ledger).placed is not None
        tell(ledger, order_observed("2", transactions=(transaction(payment_id="pay-2"),)))
        drain(applier)
        assert row(ledger, id).state == "applied"
        assert [one.external_id for one in recorded(ledger, f"{STORE}/2").payments] == ["pi-2"]

    def test_a_refund_before_its_order_makes_the_record_and_asks_for_the_order(
        self, ledger: Ledger, applier: Applier
    ) -> None:
        tell(ledger, refund_recorded())
        assert applier.run_once() == Applied(taken=1, changed_orders=1, commands=1)
        assert recorded(ledger).placed is None
        assert wanted(ledger) == ["refetch"]
