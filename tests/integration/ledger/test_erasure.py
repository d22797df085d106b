from pathlib import Path

import pytest

from tests.integration.ledger.examples import delivery, order
from tradewind.errors import VersionConflict
from tradewind.ledger import audit, inbox, orders
from tradewind.ledger.backup import backup
from tradewind.ledger.engine import Ledger, open_ledger
from tradewind.ledger.erasure import Erasure, erase_customer
from tradewind.ledger.inbox import Outcome
from tradewind.settings import Settings


def filled(ledger: Ledger) -> list[int]:
    """Orders of two customers, and a delivery that told of each; gives the deliveries' ids."""
    with ledger.write() as conn:
        for number, email in (("1", "ada@example.com"), ("2", "grace@example.com")):
            orders.save(conn, ledger.keys, order(number, email=email), None)
        ids = [one.id for one in inbox.store(conn, ledger.keys, [delivery("1"), delivery("2")])]
        claimed = inbox.claim(conn, ledger.keys, worker="w", limit=9, lease_s=60)
        told = {"1": "shopify:north/1", "2": "shopify:north/2"}
        inbox.finish(conn, [Outcome(one.id, one.epoch, "applied", order_id=told[one.delivery_key]) for one in claimed])
    return ids


def emails(ledger: Ledger) -> list[str | None]:
    with ledger.read() as conn:
        found = orders.load(conn, ledger.keys, ["shopify:north/1", "shopify:north/2"])
    return [one.placed.customer.email if one.placed and one.placed.customer else None for one, _ in found.values()]


def test_erased_customer_is_gone_and_the_books_stay(ledger: Ledger) -> None:
    ids = filled(ledger)
    assert erase_customer(ledger, "ADA@example.com", actor="dpo") == Erasure(("shopify:north/1",), 1)
    assert emails(ledger) == [None, "grace@example.com"]
    with ledger.read() as conn:
        assert inbox.get(conn, ledger.keys, ids[0]).body is None
        assert inbox.get(conn, ledger.keys, ids[1]).body is not None
        assert orders.by_email(conn, ledger.keys, "ada@example.com") == []
        assert [row.total for row in orders.by_name(conn, "#1042")] == [1250, 1250]
        assert audit.entries(conn)[0].action == "customer.erased"
        assert "ada" not in repr(audit.entries(conn))


def test_erased_customer_is_gone_from_an_older_backup_too(ledger: Ledger, settings: Settings, tmp_path: Path) -> None:
    filled(ledger)
    backup(settings, tmp_path / "old")
    erase_customer(ledger, "ada@example.com", actor="dpo")
    old = Settings(
        state_dir=tmp_path / "elsewhere",
        database_url=f"sqlite:///{tmp_path / 'old/ledger/ledger.db'}",
        keys_url=settings.keys_url,
        master_key_file=settings.master_key_file,
    )
    restored = open_ledger(old)
    assert emails(restored) == [None, "grace@example.com"]
    restored.close()


def test_a_worker_that_read_before_the_erasure_cannot_write_after_it(ledger: Ledger) -> None:
    filled(ledger)
    with ledger.read() as conn:
        known, version = orders.load(conn, ledger.keys, ["shopify:north/1"])["shopify:north/1"]
    erase_customer(ledger, "ada@example.com", actor="dpo")
    with pytest.raises(VersionConflict), ledger.write() as conn:
        orders.save(conn, ledger.keys, known, version)


def test_a_later_order_of_the_customer_is_recorded_under_a_new_key(ledger: Ledger) -> None:
    filled(ledger)
    erase_customer(ledger, "ada@example.com", actor="dpo")
    with ledger.write() as conn:
        orders.save(conn, ledger.keys, order("3", email="ada@example.com"), None)
        assert [row.external_id for row in orders.by_email(conn, ledger.keys, "ada@example.com")] == ["3"]
        assert orders.load(conn, ledger.keys, ["shopify:north/3"])["shopify:north/3"][0] == order(
            "3", email="ada@example.com"
        )


def test_a_blank_address_erases_nobody(ledger: Ledger) -> None:
    filled(ledger)
    with pytest.raises(ValueError, match="blank"):
        erase_customer(ledger, "  ", actor="dpo")
    assert erase_customer(ledger, "nobody@example.com", actor="dpo") == Erasure((), 0)
    assert emails(ledger) == ["ada@example.com", "grace@example.com"]
