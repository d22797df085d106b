"""Customers and addresses of one store."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from tradewind.sandbox.shopify.countries import country_name


@dataclass(frozen=True)
class Address:
    """A mailing address; absent parts are None, as in the API."""

    id: int
    first_name: str | None = None
    last_name: str | None = None
    company: str | None = None
    address1: str | None = None
    address2: str | None = None
    city: str | None = None
    province: str | None = None
    province_code: str | None = None
    country: str | None = None
    country_code: str | None = None
    zip: str | None = None
    phone: str | None = None

    @classmethod
    def of(cls, address_id: int, given: Mapping[str, Any]) -> "Address":
        """From a mapping with the REST API's names; the name is split where only the whole is given."""
        first, _, last = str(given.get("name") or "").partition(" ")
        code = given.get("country_code")
        return cls(
            id=address_id,
            first_name=given.get("first_name") or first or None,
            last_name=given.get("last_name") or last or None,
            company=given.get("company"),
            address1=given.get("address1"),
            address2=given.get("address2"),
            city=given.get("city"),
            province=given.get("province") or given.get("province_code"),
            province_code=given.get("province_code"),
            country=given.get("country") or (country_name(code) if code else None),
            country_code=code,
            zip=given.get("zip"),
            phone=given.get("phone"),
        )

    @property
    def name(self) -> str:
        """First and last name."""
        return " ".join(part for part in (self.first_name, self.last_name) if part)


@dataclass(eq=False)
class Customer:
    """Someone who has ordered, known by e-mail address."""

    id: int
    email: str | None
    first_name: str | None
    last_name: str | None
    phone: str | None
    created_at: datetime
    updated_at: datetime
    default_address: Address | None = None
    orders: int = 0
    spent: Decimal = Decimal(0)

    @property
    def name(self) -> str:
        """First and last name, or the e-mail address."""
        return " ".join(part for part in (self.first_name, self.last_name) if part) or self.email or ""
