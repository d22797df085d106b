"""How much of each item lies where, by the names that Shopify gives to quantities."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

# Source: shopify.dev, "Manage inventory quantities and states". on_hand is the sum of all but `incoming`.
UNAVAILABLE: Final = ("damaged", "quality_control", "reserved", "safety_stock")
NAMES: Final = ("available", "committed", "incoming", "on_hand", *UNAVAILABLE)


@dataclass(eq=False)
class Level:
    """The quantities of one item at one location."""

    item_id: int
    location_id: int
    created_at: datetime
    updated_at: datetime
    quantities: Counter[str] = field(default_factory=Counter)

    def quantity(self, name: str) -> int:
        """One quantity by its name."""
        if name == "on_hand":
            return sum(self.quantities[state] for state in ("available", "committed", *UNAVAILABLE))
        return self.quantities[name]

    def move(self, at: datetime, **deltas: int) -> None:
        """Change quantities by their names."""
        self.quantities.update(deltas)
        self.updated_at = max(self.updated_at, at)


class Stock:
    """The levels of all items. An item has a level only at locations that stock it."""

    def __init__(self) -> None:
        self._levels: dict[int, dict[int, Level]] = {}

    def stocked(self, item_id: int, location_id: int, at: datetime) -> Level:
        """The level, connected now if the location did not stock the item."""
        levels = self._levels.setdefault(item_id, {})
        if location_id not in levels:
            levels[location_id] = Level(item_id, location_id, at, at)
        return levels[location_id]

    def level(self, item_id: int, location_id: int) -> Level | None:
        """The level, or None where the item is not stocked."""
        return self._levels.get(item_id, {}).get(location_id)

    def of_item(self, item_id: int) -> list[Level]:
        """The levels of one item."""
        return list(self._levels.get(item_id, {}).values())

    def at_location(self, location_id: int) -> list[Level]:
        """The levels at one location."""
        return [levels[location_id] for levels in self._levels.values() if location_id in levels]

    def available(self, item_id: int) -> int:
        """What can be sold of an item, over all locations."""
        return sum(level.quantity("available") for level in self.of_item(item_id))
