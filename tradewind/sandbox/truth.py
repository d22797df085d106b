"""What really happened, against which results are judged.

Facts, and what each names besides its time (`at`):
order_accepted        store, order_id, name, total_minor, currency, presentment_minor, presentment_currency
payment_authorised    store, order_id, connection, payment_id, amount_minor, currency, shop_minor: at the processor
order_edited          store, order_id
order_held, hold_released        store, order_id, reason
order_refunded        store, order_id, amount_minor in shop currency, units, units_back: put on the shelf again after
                      they had left, whole: nothing is left on the order
return_opened, return_closed     store, order_id, return_id, units (opened), status (closed): CLOSED, DECLINED, CANCELED
return_received       store, order_id, return_id, quantity, restocked
cancel_acknowledged   store, order_id, name
order_fulfilled       store, order_id, fulfillment_id, tracking_numbers, units
label_requested       account, label_id, external_shipment_id, external_order_id
shipment_refused      account, external_shipment_id: a second one under the same external id
label_voided          account, label_id
parcel_scanned        account, label_id, external_order_id, step: of `shipstation.objects.SCANS`
captured, refunded    connection, payment_id, amount_minor, currency
dispute_opened, dispute_closed   connection, dispute_id, payment_id, amount_minor, currency, status
throttled             connection, reason: the client really went over a published limit (injected 429s are no such fact)
webhook_given_up      connection, topic
"""

from collections import Counter, defaultdict
from typing import Any

from tradewind.sandbox.clock import Clock
from tradewind.sandbox.faults import Faults


class Truth:
    """An append-only list of facts."""

    def __init__(self, clock: Clock, faults: Faults) -> None:
        self._clock = clock
        self._faults = faults
        self.facts: list[dict[str, Any]] = []
        self._by_kind: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
        self.webhook_attempts: Counter[str] = Counter()

    def record(self, kind: str, **facts: Any) -> None:
        """Note a fact, as of now."""
        fact = {"kind": kind, "at": self._clock.now(), **facts}
        self.facts.append(fact)
        self._by_kind[kind].append(fact)

    def count_attempt(self, connection: str, topic: str, status: int | None) -> None:
        """Count one webhook attempt by its answer; None: no answer."""
        self.webhook_attempts[f"{connection} {topic} {status if status is not None else 'unanswered'}"] += 1

    def of(self, kind: str) -> list[dict[str, Any]]:
        """The facts of one kind, oldest first."""
        return self._by_kind.get(kind, [])

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready: every fact, and counts."""
        return {
            "facts": [{**fact, "at": fact["at"].isoformat()} for fact in self.facts],
            "counts": {kind: len(facts) for kind, facts in self._by_kind.items()},
            "throttled": len(self.of("throttled")),
            "webhook_attempts": dict(self.webhook_attempts),
            "faults_fired": dict(self._faults.fired),
        }
