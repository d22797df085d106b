from typing import Any

import pytest

from tests.unit.sandbox.shopify.stores import Shop, body, gid

ADJUST = """mutation ($input: InventoryAdjustQuantitiesInput!, $key: String!) {
  inventoryAdjustQuantities(input: $input) @idempotent(key: $key) {
    inventoryAdjustmentGroup { reason referenceDocumentUri
      changes { name delta quantityAfterChange item { sku } location { name } } }
    userErrors { field message code } } }"""
SET = ADJUST.replace("Adjust", "Set").replace("inventorySetmentGroup", "inventoryAdjustmentGroup")


@pytest.fixture
def shop() -> Shop:
    return Shop()


def place_of(shop: Shop, sku: str, location: str) -> dict[str, str]:
    return {
        "inventoryItemId": gid("InventoryItem", shop.store.catalog.by_sku[sku].item_id),
        "locationId": gid("Location", shop.store.catalog.location_named(location).id),
    }


def change(shop: Shop, **more: Any) -> dict[str, Any]:
    return {**place_of(shop, "MUG", "London"), "changeFromQuantity": None, **more}


def adjust(shop: Shop, *changes: dict[str, Any], key: str = "k1", **more: Any) -> dict[str, Any]:
    wanted = {"name": "available", "reason": "correction", "changes": list(changes), **more}
    answer: dict[str, Any] = shop.data(ADJUST, input=wanted, key=key)["inventoryAdjustQuantities"]
    return answer


def set_to(shop: Shop, *quantities: dict[str, Any], key: str = "k1", **more: Any) -> dict[str, Any]:
    wanted = {"name": "available", "reason": "correction", "quantities": list(quantities), **more}
    answer: dict[str, Any] = shop.data(SET, input=wanted, key=key)["inventorySetQuantities"]
    return answer


def test_a_delta_changes_what_is_available_and_on_hand(shop: Shop) -> None:
    shop.subscribe("INVENTORY_LEVELS_UPDATE")
    made = adjust(shop, change(shop, delta=-3), referenceDocumentUri="gid://tradewind/Order/1")
    group = made["inventoryAdjustmentGroup"]
    assert [(each["name"], each["delta"], each["quantityAfterChange"]) for each in group["changes"]] == [
        ("available", -3, 7),
        ("on_hand", -3, 7),
    ]
    assert (group["changes"][0]["item"]["sku"], group["changes"][0]["location"]["name"]) == ("MUG", "London")
    assert shop.quantities("MUG", "London") == {"available": 7, "committed": 0, "on_hand": 7}
    [hook] = shop.sent()
    assert body(hook)["available"] == 7


def test_the_same_key_changes_once(shop: Shop) -> None:
    first = adjust(shop, change(shop, delta=-3))
    assert adjust(shop, change(shop, delta=-3)) == first
    assert shop.quantities("MUG", "London")["available"] == 7
    other = adjust(shop, change(shop, delta=-4))["userErrors"][0]
    assert other["code"] == "IDEMPOTENCY_KEY_PARAMETER_MISMATCH"


def test_a_stale_expectation_is_refused_and_its_key_is_spent(shop: Shop) -> None:
    stale = change(shop, delta=-3, changeFromQuantity=9)
    assert adjust(shop, stale)["userErrors"][0]["code"] == "CHANGE_FROM_QUANTITY_STALE"
    assert adjust(shop, stale)["userErrors"][0]["code"] == "IDEMPOTENCY_PREVIOUS_ATTEMPT_FAILED"
    assert adjust(shop, change(shop, delta=-3, changeFromQuantity=10), key="k2")["userErrors"] == []


def test_all_changes_are_made_or_none(shop: Shop) -> None:
    bad = {**change(shop, delta=1), "locationId": gid("Location", 1)}
    assert adjust(shop, change(shop, delta=-3), bad)["userErrors"][0] == {
        "field": ["input", "changes", "1", "locationId"],
        "message": "The specified location could not be found.",
        "code": "INVALID_LOCATION",
    }
    assert shop.quantities("MUG", "London")["available"] == 10


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"name": "on_hand"}, "INVALID_QUANTITY_NAME"),
        ({"reason": "because"}, "INVALID_REASON"),
        ({"name": "damaged"}, "INVALID_QUANTITY_DOCUMENT"),
        ({"delta": 2_000_000_000}, "INVALID_QUANTITY_TOO_HIGH"),
        ({"delta": -2_000_000_000}, "INVALID_QUANTITY_TOO_LOW"),
        ({"ledgerDocumentUri": "gid://tradewind/Movement/1"}, "INVALID_AVAILABLE_DOCUMENT"),
        ({"inventoryItemId": "gid://shopify/InventoryItem/1"}, "INVALID_INVENTORY_ITEM"),
    ],
)
def test_a_wrong_adjustment_says_what_is_wrong(shop: Shop, wrong: dict[str, Any], code: str) -> None:
    about_all = {key: value for key, value in wrong.items() if key in ("name", "reason")}
    about_one = {key: value for key, value in wrong.items() if key not in about_all}
    assert adjust(shop, change(shop, **{"delta": 1, **about_one}), **about_all)["userErrors"][0]["code"] == code


def test_unavailable_stock_is_adjusted_under_a_document(shop: Shop) -> None:
    damaged = change(shop, delta=2, ledgerDocumentUri="gid://tradewind/Movement/1")
    assert adjust(shop, damaged, name="damaged")["userErrors"] == []
    assert shop.quantities("MUG", "London") == {"available": 10, "committed": 0, "on_hand": 12}


def test_a_quantity_is_set_if_it_is_still_what_was_seen(shop: Shop) -> None:
    assert set_to(shop, change(shop, quantity=4, changeFromQuantity=10))["userErrors"] == []
    assert shop.quantities("MUG", "London")["available"] == 4
    stale = set_to(shop, change(shop, quantity=4, changeFromQuantity=10), key="k2")
    assert stale["userErrors"][0]["code"] == "CHANGE_FROM_QUANTITY_STALE"


def test_setting_on_hand_moves_what_is_available(shop: Shop) -> None:
    shop.place()
    assert set_to(shop, change(shop, quantity=5), name="on_hand")["userErrors"] == []
    assert shop.quantities("MUG", "London") == {"available": 2, "committed": 3, "on_hand": 5}


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"name": "committed"}, "INVALID_NAME"),
        ({"reason": "because"}, "INVALID_REASON"),
        ({"name": "on_hand", "quantity": -1}, "INVALID_QUANTITY_NEGATIVE"),
        ({"quantity": 2_000_000_000}, "INVALID_QUANTITY_TOO_HIGH"),
    ],
)
def test_a_wrong_setting_says_what_is_wrong(shop: Shop, wrong: dict[str, Any], code: str) -> None:
    about_all = {key: value for key, value in wrong.items() if key in ("name", "reason")}
    quantity = wrong.get("quantity", 1)
    assert set_to(shop, change(shop, quantity=quantity), **about_all)["userErrors"][0]["code"] == code


def test_a_level_is_set_once_in_a_request(shop: Shop) -> None:
    twice = set_to(shop, change(shop, quantity=1), change(shop, quantity=2))
    assert twice["userErrors"][0]["code"] == "NO_DUPLICATE_INVENTORY_ITEM_ID_GROUP_ID_PAIR"


def test_the_expectation_must_be_said_even_if_there_is_none(shop: Shop) -> None:
    without = {**place_of(shop, "MUG", "London"), "delta": 1}
    wanted = {"name": "available", "reason": "correction", "changes": [without]}
    answer = shop.ask(ADJUST, input=wanted, key="k1")
    assert answer["errors"][0]["extensions"]["code"] == "INVALID_FIELD_ARGUMENTS"


def test_changes_can_be_asked_for_by_what_they_are(shop: Shop) -> None:
    query = ADJUST.replace("changes { name", 'changes(quantityNames: ["on_hand"]) { name')
    wanted = {"name": "available", "reason": "correction", "changes": [change(shop, delta=1)]}
    group = shop.data(query, input=wanted, key="k1")["inventoryAdjustQuantities"]["inventoryAdjustmentGroup"]
    assert [each["name"] for each in group["changes"]] == ["on_hand"]


def test_levels_are_read_by_item_by_location_and_alone(shop: Shop) -> None:
    shop.place()
    where = place_of(shop, "MUG", "London")
    shown = shop.data(
        """query ($item: ID!, $location: ID!) {
          inventoryItem(id: $item) { sku tracked
            inventoryLevel(locationId: $location) { id quantities(names: ["available", "committed", "on_hand"]) {
              name quantity } }
            inventoryLevels(first: 5) { nodes { location { name } } } }
          location(id: $location) { name hasActiveInventory
            inventoryLevel(inventoryItemId: $item) { item { sku } }
            inventoryLevels(first: 9) { nodes { item { sku } } } } }""",
        item=where["inventoryItemId"],
        location=where["locationId"],
    )
    level = shown["inventoryItem"]["inventoryLevel"]
    assert {each["name"]: each["quantity"] for each in level["quantities"]} == {
        "available": 7,
        "committed": 3,
        "on_hand": 10,
    }
    assert [each["location"]["name"] for each in shown["inventoryItem"]["inventoryLevels"]["nodes"]] == [
        "London",
        "Leeds",
    ]
    assert shown["location"]["inventoryLevel"]["item"]["sku"] == "MUG"
    assert {each["item"]["sku"] for each in shown["location"]["inventoryLevels"]["nodes"]} == {"MUG", "JUG"}
    alone = shop.data("query ($id: ID!) { inventoryLevel(id: $id) { id } }", id=level["id"])
    assert alone["inventoryLevel"]["id"] == level["id"]


def test_an_unknown_quantity_name_is_a_bad_request(shop: Shop) -> None:
    item = place_of(shop, "MUG", "London")["inventoryItemId"]
    answer = shop.ask(
        """query ($item: ID!) { inventoryItem(id: $item) {
          inventoryLevels(first: 5) { nodes { quantities(names: ["lost"]) { name } } } } }""",
        item=item,
    )
    assert answer["errors"][0]["extensions"]["code"] == "BAD_REQUEST"
