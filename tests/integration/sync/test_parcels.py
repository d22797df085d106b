"""Scans that no webhook told of: asked for label by label, a few in a sweep, each label once a round."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.unit.domain.orders import AT, CARRIER, after, captured, label_observed, order_observed
from tests.unit.sync.desk import connect_all, connection, tell
from tradewind.domain.events import TrackingScanned
from tradewind.domain.fulfilment import TrackingStatus
from tradewind.errors import ProviderUnavailable
from tradewind.governor.budget import Lane, current_lane
from tradewind.ledger import inbox, tables
from tradewind.ledger.engine import Ledger
from tradewind.sync import parcels
from tradewind.sync.apply import Applier
from tradewind.sync.sweep import Swept, sweep

ROW: dict[str, Any] = {
    "order_id": "shopify:north/1", "connection": CARRIER, "external_shipment_id": "tw-1",
    "fulfillment_order_id": "fo-1", "state": "purchased", "tracking_number": "TN", "tracking_status": "in_transit",
    "created_at": AT,
}  # fmt: skip
LATER = after(2 * 3600)


class Tracker:
    """A carrier that knows what scans it has of a label; `broken` is a label that it gives no answer for."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.lanes: set[Lane] = set()
        self.scans: dict[str, Sequence[TrackingScanned]] = {}
        self.broken: str | None = None

    async def track(self, label: str) -> Sequence[TrackingScanned]:
        if label == self.broken:
            raise ProviderUnavailable("away")
        self.asked.append(label)
        self.lanes.add(current_lane())
        return self.scans.get(label, ())


@pytest.fixture
def carrier(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> Tracker:
    connect_all(ledger)
    monkeypatch.setattr(parcels, "AT_ONCE", 2)
    return Tracker()


def shipped(ledger: Ledger, *names: str, **changes: Any) -> None:
    with ledger.write() as database:
        for name in names:
            database.execute(tables.label.insert().values({**ROW, "external_id": name, **changes}))


async def swept(ledger: Ledger, carrier: Tracker, now: datetime = LATER) -> Swept:
    return await sweep(ledger, connection(CARRIER), carrier, now=now)  # type: ignore[arg-type]


def scan(status: TrackingStatus, at: datetime, number: str) -> TrackingScanned:
    return TrackingScanned(connection=CARRIER, tracking_number=number, status=status, occurred_at=at)


async def test_a_lost_delivery_scan_arrives(ledger: Ledger, carrier: Tracker) -> None:
    label = label_observed()
    number = label.label.tracking_number
    assert number is not None
    tell(ledger, order_observed(), captured(), label)
    applier = Applier(ledger, worker="a")
    while applier.run_once().taken:
        pass
    told = (scan(TrackingStatus.IN_TRANSIT, after(600), number), scan(TrackingStatus.DELIVERED, after(1200), number))
    carrier.scans[label.label.external_id] = told
    done = await swept(ledger, carrier, label.label.created_at + timedelta(hours=2))
    assert (done.listed, done.new) == (2, 2)
    while applier.run_once().taken:
        pass
    with ledger.read() as database:
        (row,) = database.execute(tables.label.select()).all()
        rows = inbox.search(database, topic="poll/tracking_scanned")
    assert row.tracking_status == "delivered"
    assert {one.occurred_at for one in rows} == {after(600), after(1200)}


async def test_a_sweep_asks_after_a_few_and_the_next_goes_on(ledger: Ledger, carrier: Tracker) -> None:
    shipped(ledger, "a", "b", "c")
    await swept(ledger, carrier)
    assert carrier.asked == ["a", "b"]
    await swept(ledger, carrier)
    assert carrier.asked == ["a", "b", "c"]
    assert carrier.lanes == {"deferred"}  # nobody waits for a scan: it goes after everything else


async def test_each_label_is_asked_after_once_a_round(ledger: Ledger, carrier: Tracker) -> None:
    shipped(ledger, "a", "b")
    for minutes, asked in ((0, 2), (3, 2), (59, 2), (61, 4), (64, 4)):
        await swept(ledger, carrier, LATER + timedelta(minutes=minutes))
        assert len(carrier.asked) == asked


async def test_what_failed_is_asked_after_by_the_next_sweep(ledger: Ledger, carrier: Tracker) -> None:
    shipped(ledger, "a", "b")
    carrier.broken = "b"
    with pytest.raises(ProviderUnavailable):
        await swept(ledger, carrier)
    carrier.broken = None
    await swept(ledger, carrier)
    assert carrier.asked == ["a", "b"]


@pytest.mark.parametrize(
    "changes",
    [
        {"tracking_status": "delivered"},
        {"tracking_status": "returned_to_sender"},
        {"state": "voided"},
        {"tracking_number": None},
        {"created_at": LATER - timedelta(minutes=30)},
        {"created_at": LATER - timedelta(days=31)},
        {"connection": "shipstation:other"},
    ],
)
async def test_only_what_is_on_its_way_is_asked_after(
    ledger: Ledger, carrier: Tracker, changes: dict[str, Any]
) -> None:
    shipped(ledger, "a", **changes)
    await swept(ledger, carrier)
    assert carrier.asked == []


async def test_one_of_which_nothing_is_known_yet_is_asked_after(ledger: Ledger, carrier: Tracker) -> None:
    shipped(ledger, "a", tracking_status=None)
    await swept(ledger, carrier)
    assert carrier.asked == ["a"]
