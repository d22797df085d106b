from sqlalchemy import text

from tests.integration.ledger.examples import at_once
from tradewind.domain.stock import Availability, MovementKind, StockMovement, availability
from tradewind.ledger import stock
from tradewind.ledger.engine import Ledger

MOVEMENTS = [
    StockMovement(sku=sku, location=location, kind=kind, quantity=quantity, cause=f"{sku}/{location}/{number}")
    for number, (sku, location, kind, quantity) in enumerate(
        [
            ("A", "north", MovementKind.COUNTED, 10),
            ("A", "north", MovementKind.RESERVED, 3),
            ("A", "north", MovementKind.SHIPPED, 2),
            ("A", "north", MovementKind.RELEASED, 1),
            ("A", "north", MovementKind.ADJUSTED, -4),
            ("A", "north", MovementKind.RETURNED, 1),
            ("A", "south", MovementKind.COUNTED, 5),
            ("B", "north", MovementKind.RESERVED, 2),
        ]
    )
]


def added(ledger: Ledger, movements: list[StockMovement]) -> int:
    with ledger.write() as conn:
        return stock.add(conn, movements)


def test_levels_are_what_the_domain_computes(ledger: Ledger) -> None:
    assert added(ledger, MOVEMENTS) == len(MOVEMENTS)
    with ledger.read() as conn:
        assert stock.levels(conn) == availability(MOVEMENTS)
        assert stock.levels(conn, sku="B") == {("B", "north"): Availability(on_hand=0, reserved=2)}


def test_the_view_agrees_with_the_levels(ledger: Ledger) -> None:
    added(ledger, MOVEMENTS)
    with ledger.read() as conn:
        rows = conn.execute(text("SELECT * FROM v_stock")).all()
        levels = stock.levels(conn)
    assert {(row.sku, row.location): (row.on_hand, row.reserved, row.available) for row in rows} == {
        place: (level.on_hand, level.reserved, level.available) for place, level in levels.items()
    }


def test_a_cause_moves_stock_once(ledger: Ledger) -> None:
    assert added(ledger, [MOVEMENTS[0], MOVEMENTS[0]]) == 1
    results = at_once(lambda one: added(ledger, one), [MOVEMENTS, MOVEMENTS[::-1], MOVEMENTS])
    assert sum(results) == len(MOVEMENTS) - 1
