"""What is told of a change, and what is not."""

from tests.unit.domain.orders import HOME, captured, order_observed, payment_observed, record
from tradewind.domain.order import Order
from tradewind.ledger.changes import MOST_FIELDS, FieldChange, differences


def told(before: Order | None, after: Order) -> dict[str, tuple[str | None, str | None]]:
    return {one.path: (one.before, one.after) for one in differences(before, after)}


def test_a_new_order_is_told_by_its_name_and_total() -> None:
    assert told(None, record(order_observed()))["placed"] == (None, "#1042, 12.50 GBP")


def test_a_change_is_told_by_field_and_id() -> None:
    before, after = record(order_observed(), payment_observed()), record(order_observed(), captured())
    assert told(before, after)["payments[pi-1].state"] == ("authorized", "captured")
    assert told(before, after)["payments[pi-1].captured"] == ("0.00 GBP", "12.50 GBP")


def test_what_only_we_keep_is_no_change() -> None:
    order = record(order_observed())
    assert differences(order, order.model_copy(update={"facts": ("fact-9",), "versions": {}})) == []


def test_of_a_person_only_that_it_changed_is_told() -> None:
    before = record(order_observed())
    assert before.placed is not None
    moved = HOME.model_copy(update={"line1": "7 Dean Street", "name": "Grace Hopper"})
    after = before.model_copy(update={"placed": before.placed.model_copy(update={"ship_to": moved})})
    (change,) = differences(before, after)
    assert change.path == "ship_to"
    assert not any(word in str(change) for word in ("Dean", "Grace", "Ada", "London"))


def test_a_part_that_is_gone_is_told() -> None:
    before = record(order_observed(), payment_observed())
    (change,) = differences(before, before.model_copy(update={"payments": ()}))
    assert change == FieldChange("payments[pi-1]", "authorized, 0.00 GBP, 0.00 GBP", None)


def test_many_changes_are_told_up_to_a_bound() -> None:
    before = record(order_observed())
    assert before.placed is not None
    (line, *_) = before.placed.lines
    many = tuple(line.model_copy(update={"external_id": f"line-{number}x"}) for number in range(MOST_FIELDS + 20))
    after = before.model_copy(update={"placed": before.placed.model_copy(update={"lines": many})})
    assert len(differences(before, after)) == MOST_FIELDS
