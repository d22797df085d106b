"""Show what a delivery says without whom it is about.

By permission, not by prohibition: a text is shown only under a name that never holds personal data, so a field that a
provider adds tomorrow is masked until it is listed here.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

MASK = "•••"

# Whatever lies below these describes a person; of it, only ids are shown.
_PERSONAL = re.compile(
    r"customer|.*address.*|ship_to|ship_from|bill_to|billing_details|client_details|shipping|destination|recipient|"
    r"contact|user|card|payment_details|payment_method.*|receipt|personal"
)
_ID = re.compile(r"id|(?!tax|national).*_id|admin_graphql_api_id")
_PLAIN = re.compile(
    r".*_at|created|updated|occurred|object|type|kind|.*_type|topic|event|status|.*_status|state|.*_state|cancel_reason|"
    r"currency|.*_currency|currency_code|.*gateway.*|captured_by|sku|.*quantity.*|"
    r"(?!.*(name|_id))(.*_)?(amount|price|total|subtotal|discounts?|tax|tip|cost|fees?|refunded|captured|authorized)(_.*)?|"
    r".*_ids|command_key|version|api_version|carrier_code|service_code|package_code|document|connection|business_day|source_name"
)
_PLAIN_HEADERS = re.compile(
    r"content-(type|length)|user-agent|x-shopify-(topic|webhook-id|event-id|api-version|triggered-at|shop-domain)|"
    r"shopify-(topic|webhook-id|event-id|api-version|triggered-at)|x-shipengine-(timestamp|rsa-sha256-key-id)|"
    r"x-backoffice-(id|timestamp)"
)


def masked_body(body: bytes) -> str:
    """The body as indented JSON, personal data masked; of anything that is no JSON, only its size."""
    try:
        return _printable(_indented(_masked(json.loads(body), shown=False, personal=False)))
    except (ValueError, RecursionError):
        return f"{len(body):,} bytes that are no JSON"


def masked_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """The headers; values that authenticate, or that tell who called, are masked."""
    return {name: value if _PLAIN_HEADERS.fullmatch(name.lower()) else MASK for name, value in headers.items()}


def revealed_body(body: bytes) -> str:
    """The body as indented JSON if it is some, else as text; what would move a terminal's cursor is escaped."""
    try:
        return _printable(_indented(json.loads(body)))
    except (ValueError, RecursionError):
        return _printable(body.decode("utf-8", "backslashreplace"))


def _indented(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)


def _printable(text: str) -> str:
    return "".join(
        each if each.isprintable() or each in "\n\t" else each.encode("unicode_escape").decode() for each in text
    )


def _masked(value: Any, *, shown: bool, personal: bool) -> Any:
    """shown: whether the name over it lets a text be seen. personal: whether it is part of a person's description."""
    if isinstance(value, dict):
        return {name: _masked_field(name, each, personal) for name, each in value.items()}
    if isinstance(value, list):
        return [_masked(each, shown=shown, personal=personal) for each in value]
    if value is None or isinstance(value, bool) or shown:
        return value
    if isinstance(value, str) or personal:
        return MASK
    return value


def _masked_field(name: str, value: Any, personal: bool) -> Any:
    lowered = name.lower()
    personal = personal or _PERSONAL.fullmatch(lowered) is not None
    plain = _ID.fullmatch(lowered) is not None or (not personal and _PLAIN.fullmatch(lowered) is not None)
    return _masked(value, shown=plain, personal=personal)
