"""Appliers beside each other, on both databases: whoever lost the lease writes nothing."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import update
from sqlalchemy.exc import OperationalError

from tests.integration.sync.records import ORDER, row, row_version, states
from tests.unit.domain.orders import (
    STORE,
    after,
    order_observed,
)
from tests.unit.sync.desk import connect_all, tell
from tradewind.domain.order import Order
from tradewind.errors import VersionConflict
from tradewind.ledger import inbox, orders, outbox, stock, tables
from tradewind.ledger.engine import Ledger
from tradewind.sync import apply as apply_module
from tradewind.sync.apply import Applied, Applier


class TestFencing:
    def meanwhile(self, ledger: Ledger, monkeypatch: pytest.MonkeyPatch, act: Callable[[], None]) -> None:
        """Do something between the claim and the commit of the next batch."""
        real = Applier._apply

        def apply(self: Applier, claimed: Any) -> Applied:
            monkeypatch.setattr(Applier, "_apply", real)
            act()
            return real(self, claimed)

        monkeypatch.setattr(Applier, "_apply", apply)

    def test_a_lost_lease_writes_nothing(
        self, ledger: Ledger, applier: Applier, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        ids = tell(ledger, order_observed(), order_observed("2"))
        other = Applier(ledger, worker="b")

        def taken_over() -> None:
            with ledger.write() as database:
                database.execute(
                    update(tables.inbox)
                    .where(tables.inbox.c.id == ids[1])
                    .values(lease_until=datetime(2020, 1, 1, tzinfo=UTC))
                )
            assert other.run_once().taken == 1

        self.meanwhile(ledger, monkeypatch, taken_over)
        assert applier.run_once() == Applied()
        assert states(ledger, ids) == ["claimed", "applied"]
        with ledger.read() as database:
            assert list(orders.load(database, ledger.keys, [ORDER, f"{STORE}/2"])) == [f"{STORE}/2"]
            assert outbox.counts(database)["pending"] == 0

    def test_an_order_that_was_changed_meanwhile_is_not_overwritten(
        self, ledger: Ledger, applier: Applier, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        tell(ledger, order_observed())
        applier.run_once()
        (id,) = tell(ledger, order_observed(version=after(1)))
        real = orders.save_many

        def save_many(database: Any, keys: Any, pairs: Any) -> None:
            changed = [(one, version - 1) for one, version in pairs]
            real(database, keys, changed)

        with monkeypatch.context() as racing:
            racing.setattr(orders, "save_many", save_many)
            assert applier.run_once() == Applied()
        assert states(ledger, [id]) == ["received"]
        assert row_version(ledger) == 1
        assert applier.run_once().taken == 1
        assert row_version(ledger) == 2

    def test_what_a_part_of_a_batch_has_settled_stays_settled_when_the_rest_is_given_back(
        self, ledger: Ledger, applier: Applier, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """One delivery is at fault, so the batch is halved; an order of the second half is changed meanwhile."""
        ids = tell(ledger, *(order_observed(str(n)) for n in range(4)))
        real, real_plan = orders.save_many, apply_module.plan

        def save_many(database: Any, keys: Any, pairs: Any) -> None:
            if any(one.external_id == "3" for one, _ in pairs):
                raise VersionConflict("1 of 2 orders was changed by someone else")
            real(database, keys, pairs)

        def plan(order: Order, routes: Any) -> Any:
            return 1 / 0 if order.external_id == "0" else real_plan(order, routes)

        with monkeypatch.context() as racing:
            racing.setattr(orders, "save_many", save_many)
            racing.setattr(apply_module, "plan", plan)
            applier.run_once()
        assert states(ledger, ids) == ["dead", "applied", "received", "received"]
        assert applier.run_once().taken == 2

    def test_a_batch_given_up_is_claimed_again_after_its_lease(self, ledger: Ledger) -> None:
        connect_all(ledger)
        (id,) = tell(ledger, order_observed())
        with ledger.write() as database:
            inbox.claim(database, ledger.keys, worker="dead", limit=10, lease_s=0)
        assert Applier(ledger, worker="a").run_once().taken == 1
        assert (row(ledger, id).state, row(ledger, id).attempts) == ("applied", 2)

    def test_a_ledger_that_is_away_kills_no_delivery(
        self, ledger: Ledger, applier: Applier, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        ids = tell(ledger, order_observed(), order_observed("2"))

        def away(*_: Any) -> None:
            raise OperationalError("INSERT", None, OSError("server closed the connection"))

        with monkeypatch.context() as broken:
            broken.setattr(stock, "add", away)
            with pytest.raises(OperationalError):
                applier.run_once()
        assert states(ledger, ids) == ["claimed", "claimed"]
