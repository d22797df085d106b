"""Block of one ShipStation account."""

from typing import ClassVar

from pydantic import Field, SecretStr

from blocks.connected_account import ConnectedAccount


class ShipStationAccount(ConnectedAccount):
    """A ShipStation account (API v2) or a ShipEngine account (v1): the same API under two prefixes and hosts.

    Example:
        ```python
        from blocks import ShipStationAccount

        account = ShipStationAccount.load("shipstation-main")
        print(account.key, account.carrier_id)
        ```
    """

    _block_type_name = "ShipStation Account"
    _block_type_slug = "tradewind-shipstation-account"
    _description = "A ShipStation account: labels are bought there."
    _logo_url = "https://cdn.simpleicons.org/shipstation"  # type: ignore[assignment]
    provider: ClassVar[str] = "shipstation"

    base_url: str = Field(default="https://api.shipstation.com", description="Where the API is.")
    prefix: str = Field(default="v2", description="`v2` for ShipStation, `v1` for ShipEngine.")
    api_key: SecretStr = Field(description="API key.")
    carrier_id: str = Field(description="Carrier that ships, e.g. `se-123456`.")
    service_code: str = Field(description="Service of that carrier, e.g. `usps_priority_mail`.")
    warehouse_id: str = Field(description="Warehouse that ships from, e.g. `se-123456`.")
    jwks_url: str | None = Field(default=None, description="Where the keys that sign its webhooks are published.")
    test_label: str = Field(default="false", description="`true` buys test labels, which cost nothing.")
