"""Numbers and global ids of a store's resources."""

import random
import re
import uuid
from typing import Final

_GID: Final = re.compile(r"gid://shopify/(?P<kind>\w+)/(?P<number>\d+)(?:\?inventory_item_id=(?P<item>\d+))?$")


class Ids:
    """Hands out numbers: growing, with gaps, beyond 32 bits, as in a shop that is not alone on its platform."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._last = rng.randrange(5_000_000_000_000, 6_000_000_000_000)

    def next(self) -> int:
        """A number that no other resource of the store has."""
        self._last += self._rng.randrange(1, 4096)
        return self._last

    def uuid(self) -> str:
        """A random identifier, from the seed."""
        return str(uuid.UUID(int=self._rng.getrandbits(128), version=4))


def gid(kind: str, number: int | str) -> str:
    """The global id: "gid://shopify/Order/1"."""
    return f"gid://shopify/{kind}/{number}"


def level_gid(item_id: int, location_id: int) -> str:
    """The global id of an inventory level, which has no number of its own."""
    return f"gid://shopify/InventoryLevel/{location_id}?inventory_item_id={item_id}"


def parse_gid(value: str) -> tuple[str, int, int | None]:
    """Kind, number, and for an inventory level the item's number. Raises ValueError if it is no global id."""
    found = _GID.match(value)
    if not found:
        raise ValueError(f"Invalid global id '{value}'")
    item = found["item"]
    return found["kind"], int(found["number"]), int(item) if item else None


def number_of(value: str, kind: str) -> int | None:
    """The number in a global id; None if it is not of this kind. Raises ValueError if it is no global id."""
    found_kind, number, _ = parse_gid(value)
    return number if found_kind == kind else None
