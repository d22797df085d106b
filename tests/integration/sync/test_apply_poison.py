"""Deliveries that cannot be applied, on both databases: dead with their reason, and the rest goes on."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.integration.sync.records import ORDER, drain, recorded, row, states
from tests.unit.domain.orders import (
    STORE,
    after,
    gbp,
    order_observed,
    payment_observed,
    refund_recorded,
)
from tests.unit.sync.desk import store, tell, told
from tradewind.domain.order import Order
from tradewind.ledger import inbox
from tradewind.ledger.engine import Ledger
from tradewind.sync import apply as apply_module
from tradewind.sync.apply import Applier


class TestPoison:
    def raw(self, body: bytes, key: str = "wh-1", topic: str = "orders/create") -> inbox.Delivery:
        return told(key=key, topic=topic, source="webhook", body=body, format="raw")

    def test_bodies_that_cannot_be_read_are_dead_with_their_reasons_and_the_rest_goes_on(
        self, ledger: Ledger, applier: Applier
    ) -> None:
        bodies = [b"", b"{", b"[]", b'{"id": "x"}', b"\xff\xfe", b'"text"', b"null", b"[" * 100_000]
        poison = store(ledger, *(self.raw(body, key=f"wh-{n}") for n, body in enumerate(bodies)))
        ids = tell(ledger, order_observed(), payment_observed())
        applied = applier.run_once()
        assert (applied.taken, applied.changed_orders) == (len(bodies) + 2, 1)
        assert [id for id, _ in applied.dead] == poison
        assert set(states(ledger, poison)) == {"dead"}
        assert states(ledger, ids) == ["applied", "applied"]
        assert all((row(ledger, id).reason or "").startswith("SchemaMismatch: ") for id in poison)

    def test_the_reason_tells_no_personal_data(self, ledger: Ledger, applier: Applier) -> None:
        body = json.loads(told(order_observed(), key="k").body)
        body[0]["placed"]["customer"]["age"] = "Lovelace"
        body[0]["placed"]["ship_to"]["line1"] = ["12 Lovelace Street"]
        (id,) = store(ledger, told(key="k", body=json.dumps(body).encode()))
        applier.run_once()
        reason = row(ledger, id).reason or ""
        assert "placed.ship_to.line1" in reason
        assert "Lovelace" not in reason

    def test_one_of_our_own_events_that_does_not_fit_is_dead(self, ledger: Ledger, applier: Applier) -> None:
        (id,) = store(ledger, told(key="k", body=b'[{"type": "order_observed"}]'))
        assert [dead for dead, _ in applier.run_once().dead] == [id]

    def test_an_order_told_in_another_currency_is_refused_and_nothing_of_it_kept(
        self, ledger: Ledger, applier: Applier
    ) -> None:
        tell(ledger, order_observed())
        applier.run_once()
        before = recorded(ledger)
        other = order_observed(version=after(1), currency="EUR")
        # An event of the same delivery that could be taken is not taken either.
        (id,) = store(ledger, told(payment_observed(), other, key="both"))
        (later,) = tell(ledger, refund_recorded())
        applied = applier.run_once()
        assert applied.dead == ((id, f"InvalidTransition: {ORDER} would have amounts in EUR and GBP"),)
        assert row(ledger, later).state == "applied"
        assert recorded(ledger).placed == before.placed
        assert recorded(ledger).payments == ()
        assert recorded(ledger).refunds != ()

    @pytest.mark.parametrize("first", ["order", "payment"])
    def test_a_payment_in_another_currency_stops_nothing_else(
        self, ledger: Ledger, applier: Applier, first: str
    ) -> None:
        euros = {"currency": "EUR", "minor": 1250}
        foreign = payment_observed(authorized=euros, captured=euros | {"minor": 0}, refunded=euros | {"minor": 0})
        events = [order_observed(), foreign]
        ids = tell(ledger, *(events if first == "order" else reversed(events)), order_observed("2"))
        drain(applier)
        assert sorted(states(ledger, ids)) == ["applied", "applied", "dead"]
        assert recorded(ledger, f"{STORE}/2").placed is not None

    def test_what_the_database_cannot_hold_is_dead_and_the_rest_goes_on(self, ledger: Ledger, applier: Applier) -> None:
        events = [order_observed(str(n), total=gbp(10**30 if n == 3 else 1250)) for n in range(7)]
        ids = tell(ledger, *events)
        applied = applier.run_once()
        assert (applied.taken, applied.changed_orders) == (7, 6)
        assert [id for id, _ in applied.dead] == [ids[3]]
        assert states(ledger, ids) == ["dead" if n == 3 else "applied" for n in range(7)]
        assert "INSERT" not in (row(ledger, ids[3]).reason or "")

    def test_a_fault_of_our_own_stops_its_own_delivery_alone(
        self, ledger: Ledger, applier: Applier, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        real = apply_module.plan

        def plan(order: Order, routes: Any) -> Any:
            if order.external_id == "2":
                raise ZeroDivisionError("of our own")
            return real(order, routes)

        monkeypatch.setattr(apply_module, "plan", plan)
        ids = tell(ledger, *(order_observed(str(n)) for n in range(4)))
        assert applier.run_once().dead == ((ids[2], "ZeroDivisionError: of our own"),)
        assert states(ledger, ids) == ["applied", "applied", "dead", "applied"]

    def test_a_dead_delivery_is_taken_when_it_is_replayed_after_a_fix(
        self, ledger: Ledger, applier: Applier, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (id,) = tell(ledger, order_observed())
        with monkeypatch.context() as broken:
            broken.setattr(apply_module, "plan", lambda *_: 1 / 0)
            applier.run_once()
        assert row(ledger, id).state == "dead"
        with ledger.write() as database:
            again = inbox.replay(database, ledger.keys, id)
        applier.run_once()
        assert (row(ledger, again).state, row(ledger, again).replay_of) == ("applied", id)
        assert row(ledger, id).state == "dead"
