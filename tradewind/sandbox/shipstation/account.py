"""One simulated ShipStation account."""

import uuid
from typing import Any

from tradewind.sandbox.kernel import Sandbox
from tradewind.sandbox.limits import SlidingWindow
from tradewind.sandbox.shipstation import objects
from tradewind.sandbox.shipstation.hooks import Subscriptions
from tradewind.sandbox.shipstation.objects import Json
from tradewind.sandbox.shipstation.shipping import Shipping


class ShipStationAccount:
    """Its key, its carrier and warehouse, its shipments and its webhooks."""

    def __init__(self, sandbox: Sandbox, account: str) -> None:
        self.account = account
        self.connection = f"shipstation:{account}"
        self.base_url = f"{sandbox.base_url}/shipstation/{account}"
        self.api_key = "TEST_" + sandbox.secret(f"{self.connection}/key", 38)
        self.clock = sandbox.clock
        self.truth = sandbox.truth
        self._rng = sandbox.rng(self.connection)
        self._request_rng = sandbox.rng(f"{self.connection}/requests")
        self.carrier_id, self.warehouse_id = self.new_id(), self.new_id()
        self._opened_at = objects.timestamp(sandbox.clock.now())
        # docs.shipstation.com/rate-limits: 200 requests a minute.
        self.limit = SlidingWindow(sandbox.clock, limit=200, window_s=60.0)
        self.hooks = Subscriptions(self.connection, self.base_url, sandbox.sender, self.new_id)
        self.shipping = Shipping(
            account,
            base_url=self.base_url,
            carrier_id=self.carrier_id,
            warehouse_id=self.warehouse_id,
            clock=sandbox.clock,
            agenda=sandbox.agenda,
            truth=sandbox.truth,
            hooks=self.hooks,
            new_id=self.new_id,
            new_tracking_number=self._new_tracking_number,
        )

    def describe(self) -> dict[str, Any]:
        """Where it is and how to get in."""
        return {
            "account": self.account,
            "base_url": self.base_url,
            "api_key": self.api_key,
            "jwks_url": f"{self.base_url}/jwks",
            "carrier_id": self.carrier_id,
            "service_code": next(iter(objects.SERVICES)),
            "warehouse_id": self.warehouse_id,
        }

    def new_id(self) -> str:
        """The next identifier, from the seed."""
        return f"se-{self._rng.randrange(10**8, 10**9)}"

    def new_request_id(self) -> uuid.UUID:
        """Names one request in error bodies and headers."""
        return uuid.UUID(int=self._request_rng.getrandbits(128), version=4)

    def carrier(self) -> Json:
        """The one carrier that is connected."""
        return {
            "carrier_id": self.carrier_id,
            "carrier_code": objects.CARRIER_CODE,
            "account_number": "tradewind-sandbox",
            "requires_funded_amount": False,
            "balance": 0,
            "nickname": "Royal Mail (sandbox)",
            "friendly_name": "Royal Mail",
            "primary": True,
            "has_multi_package_supporting_services": True,
            "allows_returns": True,
            "supports_label_messages": True,
            "disabled_by_billing_plan": False,
            "services": self.services(),
            "packages": [{"package_code": "package", "name": "Parcel", "description": "A parcel of any size"}],
            "options": [],
            "send_rates": True,
            "supports_user_managed_rates": False,
        }

    def services(self) -> list[Json]:
        """What that carrier offers."""
        return [
            {
                "carrier_id": self.carrier_id,
                "carrier_code": objects.CARRIER_CODE,
                "service_code": service_code,
                "name": f"Royal Mail {name}",
                "domestic": True,
                "international": True,
                "is_multi_package_supported": True,
            }
            for service_code, name in objects.SERVICES.items()
        ]

    def warehouse(self) -> Json:
        """Where parcels leave from."""
        return {
            "warehouse_id": self.warehouse_id,
            "is_default": True,
            "name": "Main warehouse",
            "created_at": self._opened_at,
            "origin_address": objects.WAREHOUSE_ADDRESS,
            "return_address": objects.WAREHOUSE_ADDRESS,
        }

    def _new_tracking_number(self) -> str:
        return f"TW{self._rng.randrange(10**8, 10**9)}GB"
