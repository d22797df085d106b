"""The inbox: every delivery once and for ever, claimed under a lease with an epoch, finished by whoever holds it.

This is its front; `intake.py` stores, `claims.py` hands out, `deliveries.py` shows, `retention.py` prunes.
"""

from tradewind.ledger.claims import Held, Position, claim, finish, opened, release_parked, release_stranded, take
from tradewind.ledger.deliveries import counts, dead_letters, get, replay, search
from tradewind.ledger.delivery import Claimed, Delivery, DeliveryContent, DeliveryRow, Outcome, Stored
from tradewind.ledger.intake import Sealed, seal, store, store_sealed, unseen

__all__ = [
    "Claimed",
    "Delivery",
    "DeliveryContent",
    "DeliveryRow",
    "Held",
    "Outcome",
    "Position",
    "Sealed",
    "Stored",
    "claim",
    "counts",
    "dead_letters",
    "finish",
    "get",
    "opened",
    "release_parked",
    "release_stranded",
    "replay",
    "seal",
    "search",
    "store",
    "store_sealed",
    "take",
    "unseen",
]
