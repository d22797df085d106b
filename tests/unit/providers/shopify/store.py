"""A store that answers each GraphQL operation from a queue and keeps what it was asked."""

import json
from collections import defaultdict
from typing import Any

import httpx

from tests.unit.governor.virtual_clock import VirtualClock
from tests.unit.providers.wire import connection
from tradewind.domain.connections import Connection, Role
from tradewind.governor import Governor
from tradewind.providers.shopify.client import ShopifyClient

NAME = "shopify:north"
ORDER_ID = "gid://shopify/Order/1"
WORK_ID = "gid://shopify/FulfillmentOrder/11"
LINE_ID = "gid://shopify/LineItem/21"
LOCATION_ID = "gid://shopify/Location/31"


class FakeStore:
    """Answers of one operation are used up in order; the last one stays. A token is granted whenever asked."""

    def __init__(self) -> None:
        self.clock = VirtualClock()
        self.governor = Governor(clock=self.clock)
        self.tokens_granted = 0
        self.operations: list[tuple[str, dict[str, Any]]] = []
        self.requests: list[httpx.Request] = []
        self.grant: Any = None
        self.expires_in = 86399
        self._answers: defaultdict[str, list[Any]] = defaultdict(list)

    def answers(self, operation: str, *answers: Any) -> None:
        """Each: `data`, a whole answer (with data or errors), a response, or an exception."""
        self._answers[operation] += answers

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        if request.url.path.endswith("/admin/oauth/access_token"):
            return self._token()
        sent = json.loads(request.content)
        self.operations.append((sent["operationName"], sent["variables"]))
        queue = self._answers[sent["operationName"]]
        assert queue, f"no answer for {sent['operationName']}"
        answer = queue.pop(0) if len(queue) > 1 else queue[0]
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, httpx.Response):
            return answer
        return httpx.Response(200, json=answer if {"data", "errors"} & set(answer) else {"data": answer})

    @property
    def asked(self) -> list[str]:
        return [operation for operation, _ in self.operations]

    def client(self, **settings: str) -> ShopifyClient:
        return ShopifyClient(
            shop(**settings), self.governor, client=httpx.AsyncClient(transport=httpx.MockTransport(self))
        )

    def _token(self) -> httpx.Response:
        if self.grant is not None:
            return self.grant
        self.tokens_granted += 1
        token = f"shpat_{self.tokens_granted}"
        return httpx.Response(200, json={"access_token": token, "scope": "", "expires_in": self.expires_in})


def shop(**settings: str) -> Connection:
    return connection(
        NAME,
        Role.STOREFRONT,
        settings={"base_url": "http://provider/shopify/north", **settings},
        secrets={"client_id": "app", "client_secret": "hush"},
    )


def costed(data: Any, *, requested: float = 10, actual: float = 5, available: float = 1500) -> dict[str, Any]:
    status = {"maximumAvailable": 2000, "currentlyAvailable": available, "restoreRate": 100}
    cost = {"requestedQueryCost": requested, "actualQueryCost": actual, "throttleStatus": status}
    return {"data": data, "extensions": {"cost": cost}}


def throttled(*, requested: float = 300, available: float = 100) -> dict[str, Any]:
    status = {"maximumAvailable": 2000, "currentlyAvailable": available, "restoreRate": 100}
    return {
        "errors": [{"message": "Throttled", "extensions": {"code": "THROTTLED"}}],
        "extensions": {"cost": {"requestedQueryCost": requested, "actualQueryCost": None, "throttleStatus": status}},
    }


def money(amount: str, currency: str = "GBP") -> dict[str, Any]:
    return {"shopMoney": {"amount": amount, "currencyCode": currency}}


def both(amount: str, presentment: str | None = None, presentment_currency: str = "GBP") -> dict[str, Any]:
    shown = {"amount": presentment or amount, "currencyCode": presentment_currency}
    return {**money(amount), "presentmentMoney": shown}


def page(*nodes: Any, more: str | None = None) -> dict[str, Any]:
    return {"nodes": list(nodes), "pageInfo": {"hasNextPage": more is not None, "endCursor": more}}


def line(number: int = 21, **changes: Any) -> dict[str, Any]:
    return {
        "id": f"gid://shopify/LineItem/{number}",
        "sku": f"SKU-{number}",
        "title": "Mug",
        "quantity": 2,
        "currentQuantity": 2,
        "requiresShipping": True,
        "originalUnitPriceSet": money("10.0"),
        "discountAllocations": [],
        "taxLines": [],
        **changes,
    }


def work(number: int = 11, *lines: Any, **changes: Any) -> dict[str, Any]:
    return {
        "id": f"gid://shopify/FulfillmentOrder/{number}",
        "status": "OPEN",
        "updatedAt": "2026-11-01T10:00:00Z",
        "fulfillmentHolds": [],
        "assignedLocation": {"name": "Leeds", "location": {"id": "gid://shopify/Location/31"}},
        "lineItems": page(*(lines or (work_line(),))),
        **changes,
    }


def work_line(number: int = 21, total: int = 2, remaining: int = 2) -> dict[str, Any]:
    return {
        "totalQuantity": total,
        "remainingQuantity": remaining,
        "lineItem": {"id": f"gid://shopify/LineItem/{number}"},
    }


def transaction(number: int = 41, **changes: Any) -> dict[str, Any]:
    return {
        "id": f"gid://shopify/OrderTransaction/{number}",
        "kind": "SALE",
        "status": "SUCCESS",
        "gateway": "shopify_payments",
        "paymentId": "pay-1",
        "processedAt": "2026-11-01T10:00:00Z",
        "parentTransaction": None,
        "multiCapturable": False,
        "amountSet": both("24.00"),
        **changes,
    }


def parcel(number: int = 51, work_number: int = 11, **changes: Any) -> dict[str, Any]:
    return {
        "id": f"gid://shopify/Fulfillment/{number}",
        "status": "SUCCESS",
        "createdAt": "2026-11-01T11:00:00Z",
        "trackingInfo": [{"number": "TRACK1"}],
        "fulfillmentOrders": {"nodes": [{"id": f"gid://shopify/FulfillmentOrder/{work_number}"}]},
        **changes,
    }


def refund(number: int = 61, amount: str = "10.0", *lines: Any, **changes: Any) -> dict[str, Any]:
    return {
        "id": f"gid://shopify/Refund/{number}",
        "createdAt": "2026-11-02T10:00:00Z",
        "processedAt": "2026-11-02T10:00:01Z",
        "totalRefundedSet": both(amount),
        "return": None,
        "transactions": {"nodes": []},
        "refundLineItems": page(*lines),
        **changes,
    }


def refunded_line(quantity: int = 1, restock_type: str = "RETURN", number: int = 21, **changes: Any) -> dict[str, Any]:
    return {
        "quantity": quantity,
        "restockType": restock_type,
        "lineItem": {"id": f"gid://shopify/LineItem/{number}"},
        "location": {"id": LOCATION_ID},
        **changes,
    }


def returned(number: int = 81, *dispositions: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """A mug comes back."""
    of_line = {"lineItem": {"id": LINE_ID}}
    disposed = {"fulfillmentLineItem": of_line, "dispositions": list(dispositions)}
    return {
        "id": f"gid://shopify/Return/{number}",
        "status": "OPEN",
        "createdAt": "2026-11-03T10:00:00Z",
        "returnLineItems": {"nodes": [{"quantity": 1, "fulfillmentLineItem": of_line}]},
        "reverseFulfillmentOrders": {"nodes": [{"lineItems": {"nodes": [disposed]}}]},
        **changes,
    }


ADDRESS = {
    "name": "Ada Ames",
    "company": None,
    "address1": "1 High Street",
    "address2": None,
    "city": "Leeds",
    "provinceCode": "ENG",
    "zip": "LS1 1AA",
    "countryCodeV2": "GB",
    "phone": None,
}


def order(**changes: Any) -> dict[str, Any]:
    """A paid order over 2 mugs: 20.00 goods, 3.00 shipping, 1.00 tax on top."""
    return {
        "id": ORDER_ID,
        "name": "#1001",
        "test": False,
        "edited": False,
        "createdAt": "2026-11-01T10:00:00Z",
        "processedAt": "2026-11-01T09:59:00Z",
        "updatedAt": "2026-11-01T10:00:05Z",
        "cancelledAt": None,
        "currencyCode": "GBP",
        "taxesIncluded": False,
        "fullyPaid": True,
        "displayFinancialStatus": "PAID",
        "displayFulfillmentStatus": "UNFULFILLED",
        "returnStatus": "NO_RETURN",
        "risk": {"recommendation": "NONE", "assessments": []},
        "subtotalLineItemsQuantity": 2,
        "currentSubtotalLineItemsQuantity": 2,
        "totalPriceSet": both("24.00"),
        "currentTotalPriceSet": both("24.00"),
        "email": "ada@example.com",
        "phone": None,
        "customer": {"id": "gid://shopify/Customer/71", "firstName": "Ada", "lastName": "Ames"},
        "shippingAddress": ADDRESS,
        "billingAddress": None,
        "transactions": [transaction()],
        "fulfillmentOrders": page(work()),
        "fulfillments": [],
        "refunds": [],
        "subtotalPriceSet": money("20.00"),
        "totalDiscountsSet": money("0.0"),
        "totalTaxSet": money("1.00"),
        "totalTipReceivedSet": money("0.0"),
        "originalTotalDutiesSet": None,
        "shippingLines": page({"discountedPriceSet": money("3.00")}),
        "lineItems": page(line()),
        **changes,
    }


BODY = frozenset(
    (
        "subtotalPriceSet",
        "totalDiscountsSet",
        "totalTaxSet",
        "totalTipReceivedSet",
        "originalTotalDutiesSet",
        "shippingLines",
        "lineItems",
    )
)


def head(whole: dict[str, Any]) -> dict[str, Any]:
    """What the head's selection gives of an order."""
    works = whole["fulfillmentOrders"]
    return {
        **{name: value for name, value in whole.items() if name not in BODY},
        "fulfillmentOrders": {**works, "nodes": [_without(node, "lineItems") for node in works["nodes"]]},
        "refunds": [_without(node, "refundLineItems") for node in whole["refunds"]],
    }


def _without(node: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in node.items() if key != name}
