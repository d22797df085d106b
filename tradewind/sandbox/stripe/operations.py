"""Which operations the simulated Stripe has, with the parameters that each takes.

Names as in Stripe's own description of its API at the pinned version; a nested name is written with a dot.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from tradewind.sandbox.stripe import objects
from tradewind.sandbox.stripe.account import StripeAccount
from tradewind.sandbox.stripe.errors import StripeError, missing, not_found
from tradewind.sandbox.stripe.lists import PAGE_PARAMETERS, created_within, page
from tradewind.sandbox.stripe.objects import Json
from tradewind.sandbox.stripe.params import Params


@dataclass(frozen=True)
class Call:
    """One request: whose, about which object, with what, and how it is named in events."""

    account: StripeAccount
    object_id: str
    params: Params
    cause: Json


@dataclass(frozen=True)
class Operation:
    """One endpoint."""

    method: str
    path: str
    run: Callable[[Call], Json]
    parameters: tuple[str, ...] = ()


_MINIMUM: Final = {"gbp": 30, "usd": 50, "eur": 50}
_CANCEL_REASONS: Final = ("duplicate", "fraudulent", "requested_by_customer", "abandoned")
_REFUND_REASONS: Final = ("duplicate", "fraudulent", "requested_by_customer")


def create_intent(call: Call) -> Json:
    params = call.params
    amount, currency = params.integer("amount"), params.required_text("currency").lower()
    if amount is None:
        raise missing("amount")
    if amount < _MINIMUM.get(currency, 1):
        message = f"Amount must be at least {_MINIMUM.get(currency, 1)} {currency}"
        raise StripeError(400, message, code="amount_too_small", param="amount")
    automatic = params.mapping("automatic_payment_methods")
    intent = call.account.payments.create(
        amount,
        currency,
        cause=call.cause,
        capture_method=params.text("capture_method", ("automatic", "automatic_async", "manual")) or "automatic_async",
        payment_method=params.text("payment_method"),
        metadata=params.mapping("metadata"),
        description=params.text("description"),
        receipt_email=params.text("receipt_email"),
        automatic_payment_methods={"allow_redirects": automatic.get("allow_redirects", "always"), "enabled": True}
        if automatic.get("enabled") == "true"
        else None,
    )
    if params.boolean("confirm"):
        return call.account.payments.confirm(intent["id"], cause=call.cause)
    return intent


def confirm_intent(call: Call) -> Json:
    return call.account.payments.confirm(call.object_id, call.params.text("payment_method"), cause=call.cause)


def capture_intent(call: Call) -> Json:
    return call.account.payments.capture(call.object_id, call.params.integer("amount_to_capture"), cause=call.cause)


def cancel_intent(call: Call) -> Json:
    reason = call.params.text("cancellation_reason", _CANCEL_REASONS)
    return call.account.payments.cancel(call.object_id, reason, cause=call.cause)


def create_refund(call: Call) -> Json:
    payments, params = call.account.payments, call.params
    charge_id = params.text("charge")
    if intent_id := params.text("payment_intent"):
        intent = _found(payments.intents, "payment_intent", intent_id, "payment_intent")
        charge_id = intent["latest_charge"]
    if charge_id is None:
        raise StripeError(400, "This payment has no charge to refund.", code="parameter_missing", param="charge")
    _found(payments.charges, "charge", charge_id, "charge")
    return payments.refund(
        charge_id,
        params.integer("amount"),
        params.text("reason", _REFUND_REASONS),
        metadata=params.mapping("metadata"),
        cause=call.cause,
    )


def create_endpoint(call: Call) -> Json:
    account, params = call.account, call.params
    url, enabled_events = params.required_text("url"), params.texts("enabled_events")
    if not enabled_events:
        raise missing("enabled_events")
    endpoint = objects.webhook_endpoint(account.new_id("we"), int(account.clock.now().timestamp()), url, enabled_events)
    endpoint.update(
        api_version=params.text("api_version"),
        description=params.text("description"),
        metadata=params.mapping("metadata"),
    )
    return {**endpoint, "secret": account.events.add_endpoint(endpoint, account.rng)}


def update_endpoint(call: Call) -> Json:
    endpoint, params = _found(call.account.events.endpoints, "webhook_endpoint", call.object_id, "id"), call.params
    disabled = params.boolean("disabled")
    if disabled is not None:
        endpoint["status"] = "disabled" if disabled else "enabled"
    for name in ("url", "description"):
        endpoint[name] = params.text(name) or endpoint[name]
    endpoint["enabled_events"] = params.texts("enabled_events") or endpoint["enabled_events"]
    return endpoint


def delete_endpoint(call: Call) -> Json:
    _found(call.account.events.endpoints, "webhook_endpoint", call.object_id, "id")
    call.account.events.remove_endpoint(call.object_id)
    return {"id": call.object_id, "object": "webhook_endpoint", "deleted": True}


def list_events(call: Call) -> Json:
    return call.account.events.kept.page(call.params)


def retrieve_event(call: Call) -> Json:
    event = call.account.events.kept.find(call.object_id)
    if event is None:
        raise not_found("event", call.object_id, "id")
    return event


def _found(kept: dict[str, Json], what: str, object_id: str, param: str) -> Json:
    if object_id not in kept:
        raise not_found(what, object_id, param)
    return kept[object_id]


def _kept(account: StripeAccount, what: str) -> dict[str, Json]:
    payments = account.payments
    return {
        "payment_intent": payments.intents,
        "charge": payments.charges,
        "refund": payments.refunds,
        "balance_transaction": payments.balance,
        "dispute": account.disputes.kept,
        "webhook_endpoint": account.events.endpoints,
    }[what]


def _retrieve(what: str) -> Callable[[Call], Json]:
    return lambda call: _found(_kept(call.account, what), what, call.object_id, "id")


def _list(what: str, filters: tuple[str, ...] = ()) -> Callable[[Call], Json]:
    def run(call: Call) -> Json:
        found = list(reversed(_kept(call.account, what).values()))
        for name in filters:
            if wanted := call.params.text(name):
                found = [item for item in found if item[name] == wanted]
        return page(f"/v1/{what}s", created_within(found, call.params), call.params)

    return run


def _update(what: str) -> Callable[[Call], Json]:
    def run(call: Call) -> Json:
        of = _found(_kept(call.account, what), what, call.object_id, "id")
        of["description"] = call.params.text("description") or of.get("description")
        return call.account.payments.update_metadata(of, call.params.mapping("metadata"), call.cause)

    return run


def update_refund(call: Call) -> Json:
    refund = _found(call.account.payments.refunds, "refund", call.object_id, "id")
    return call.account.payments.update_metadata(refund, call.params.mapping("metadata"), call.cause)


def update_dispute(call: Call) -> Json:
    params = call.params
    submit = params.boolean("submit")
    evidence, metadata = params.mapping("evidence"), params.mapping("metadata")
    # Evidence is sent to the bank unless it is only to be kept for the moment.
    return call.account.disputes.update(call.object_id, evidence, metadata, submit is not False, call.cause)


_CREATE_INTENT: Final = (
    *("amount", "currency", "capture_method", "confirm", "payment_method", "payment_method_types", "metadata"),
    *("description", "receipt_email", "automatic_payment_methods.enabled"),
    *("automatic_payment_methods.allow_redirects", "expand"),
)

OPERATIONS: Final = (
    Operation("POST", "/v1/payment_intents", create_intent, _CREATE_INTENT),
    Operation(
        "GET", "/v1/payment_intents", _list("payment_intent", ("customer",)), (*PAGE_PARAMETERS, "created", "customer")
    ),
    Operation("GET", "/v1/payment_intents/{intent}", _retrieve("payment_intent"), ("expand",)),
    Operation("POST", "/v1/payment_intents/{intent}", _update("payment_intent"), ("metadata", "description", "expand")),
    Operation("POST", "/v1/payment_intents/{intent}/confirm", confirm_intent, ("payment_method", "expand")),
    Operation("POST", "/v1/payment_intents/{intent}/capture", capture_intent, ("amount_to_capture", "expand")),
    Operation("POST", "/v1/payment_intents/{intent}/cancel", cancel_intent, ("cancellation_reason", "expand")),
    Operation(
        "GET",
        "/v1/charges",
        _list("charge", ("payment_intent", "customer")),
        (*PAGE_PARAMETERS, "created", "payment_intent", "customer"),
    ),
    Operation("GET", "/v1/charges/{charge}", _retrieve("charge"), ("expand",)),
    Operation("POST", "/v1/charges/{charge}", _update("charge"), ("metadata", "description", "expand")),
    Operation(
        "POST", "/v1/refunds", create_refund, ("amount", "charge", "payment_intent", "reason", "metadata", "expand")
    ),
    Operation(
        "GET",
        "/v1/refunds",
        _list("refund", ("charge", "payment_intent")),
        (*PAGE_PARAMETERS, "created", "charge", "payment_intent"),
    ),
    Operation("GET", "/v1/refunds/{refund}", _retrieve("refund"), ("expand",)),
    Operation("POST", "/v1/refunds/{refund}", update_refund, ("metadata", "expand")),
    Operation(
        "GET",
        "/v1/disputes",
        _list("dispute", ("charge", "payment_intent")),
        (*PAGE_PARAMETERS, "created", "charge", "payment_intent"),
    ),
    Operation("GET", "/v1/disputes/{dispute}", _retrieve("dispute"), ("expand",)),
    Operation(
        "POST",
        "/v1/disputes/{dispute}",
        update_dispute,
        ("evidence.uncategorized_text", "evidence.product_description", "metadata", "submit", "expand"),
    ),
    Operation(
        "POST",
        "/v1/disputes/{dispute}/close",
        lambda call: call.account.disputes.close(call.object_id, call.cause),
        ("expand",),
    ),
    Operation(
        "GET",
        "/v1/balance_transactions",
        _list("balance_transaction", ("type", "source", "currency")),
        (*PAGE_PARAMETERS, "created", "type", "source", "currency"),
    ),
    Operation("GET", "/v1/balance_transactions/{id}", _retrieve("balance_transaction"), ("expand",)),
    Operation(
        "POST",
        "/v1/webhook_endpoints",
        create_endpoint,
        ("url", "enabled_events", "api_version", "description", "metadata", "expand"),
    ),
    Operation("GET", "/v1/webhook_endpoints", _list("webhook_endpoint"), PAGE_PARAMETERS),
    Operation("GET", "/v1/webhook_endpoints/{webhook_endpoint}", _retrieve("webhook_endpoint"), ("expand",)),
    Operation(
        "POST",
        "/v1/webhook_endpoints/{webhook_endpoint}",
        update_endpoint,
        ("url", "enabled_events", "disabled", "description", "expand"),
    ),
    Operation("DELETE", "/v1/webhook_endpoints/{webhook_endpoint}", delete_endpoint),
    Operation("GET", "/v1/events", list_events, (*PAGE_PARAMETERS, "created", "type", "types", "delivery_success")),
    Operation("GET", "/v1/events/{id}", retrieve_event, ("expand",)),
)
