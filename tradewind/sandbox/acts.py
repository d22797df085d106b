"""Single things that someone may do, on request: for tests and for whoever wants to see one case."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from tradewind.sandbox.plants import NotNow

if TYPE_CHECKING:
    from tradewind.sandbox.kernel import Sandbox


class _Act(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Uninstall(_Act):
    """The merchant removes the app from a store."""

    act: Literal["uninstall"]
    store: str


class _OrderAct(_Act):
    store: str
    order_id: str


class Edit(_OrderAct):
    """Change an order. add: units of new lines by SKU; set_to: units by line id."""

    act: Literal["edit"]
    add: dict[str, int] = Field(default_factory=dict)
    set_to: dict[int, int] = Field(default_factory=dict)


class HoldOrder(_OrderAct):
    """Let nothing of an order leave. reason: as Shopify's FulfillmentHoldReason."""

    act: Literal["hold"]
    reason: str = "OTHER"


class Assess(_OrderAct):
    """The fraud analysis has come to a result, in Shopify's words."""

    act: Literal["assess"]
    recommendation: Literal["ACCEPT", "INVESTIGATE", "CANCEL", "NONE"]
    level: Literal["HIGH", "MEDIUM", "LOW", "NONE", "PENDING"] = "NONE"


class Cancel(_OrderAct):
    """Cancel and restock an order. refund: whether what was paid goes back."""

    act: Literal["cancel"]
    reason: str = "CUSTOMER"
    refund: bool = True


class RefundOrder(_OrderAct):
    """Give money back: units by line id for their price, an amount instead, what shipping cost."""

    act: Literal["refund"]
    units: dict[int, int] = Field(default_factory=dict)
    amount: Decimal | None = Field(default=None, gt=0)
    shipping: bool = False
    restock_type: Literal["CANCEL", "RETURN", "NO_RESTOCK"] = "NO_RESTOCK"


class OpenReturn(_OrderAct):
    """Goods are to come back: of all lines, or of these. requested: the merchant has not agreed yet."""

    act: Literal["open_return"]
    line_ids: list[int] | None = None
    requested: bool = False


class ReceiveReturn(_OrderAct):
    """They have arrived. disposition: as Shopify's ReverseFulfillmentOrderDispositionType."""

    act: Literal["receive_return"]
    disposition: Literal["RESTOCKED", "NOT_RESTOCKED", "MISSING", "PROCESSING_REQUIRED"] = "RESTOCKED"


class Plain(_OrderAct):
    """What needs no more to be said."""

    act: Literal["release", "approve_return", "refund_return", "close_return"]


class Dispute(_Act):
    """A cardholder disputes a captured payment. payment_id: the PaymentIntent; amount: minor units, None for all."""

    act: Literal["dispute"]
    payment_id: str
    amount: int | None = Field(default=None, gt=0)
    reason: str = "fraudulent"


class Decide(_Act):
    """The bank decides a dispute."""

    act: Literal["decide_dispute"]
    dispute_id: str
    won: bool


class Scan(_Act):
    """The carrier reads a label: AC, IT, AT, EX, RS (returned to sender) or DE."""

    act: Literal["scan"]
    label_id: str
    step: Literal["AC", "IT", "AT", "EX", "RS", "DE"]


_Any = (
    Uninstall
    | Edit
    | HoldOrder
    | Assess
    | Cancel
    | RefundOrder
    | OpenReturn
    | ReceiveReturn
    | Plain
    | Dispute
    | Decide
    | Scan
)
ASK: TypeAdapter[_Any] = TypeAdapter(Annotated[_Any, Field(discriminator="act")])


def perform(sandbox: Sandbox, asked: _Any) -> dict[str, Any]:
    """Do it, and say what came of it. Raises NotNow if the provider refuses, ValueError for what does not exist."""
    try:
        match asked:
            case Uninstall():
                sandbox.shopify[asked.store].uninstall_app()
            case Dispute():
                account = sandbox.stripe["main"]
                return {"dispute_id": account.dispute_payment(asked.payment_id, asked.amount, asked.reason)}
            case Decide():
                sandbox.stripe["main"].disputes.decide(asked.dispute_id, won=asked.won)
            case Scan():
                sandbox.shipstation["main"].shipping.scan(asked.label_id, asked.step)
            case _ if not _at_desk(sandbox, asked):
                raise NotNow(f"the store refuses to {asked.act.replace('_', ' ')} order {asked.order_id}")
    except KeyError as error:
        raise ValueError(f"there is no {error.args[0]}") from None
    return {"act": asked.act}


def _at_desk(
    sandbox: Sandbox,
    asked: Edit | HoldOrder | Assess | Cancel | RefundOrder | OpenReturn | ReceiveReturn | Plain,
) -> bool:
    store = sandbox.shopify[asked.store]
    desk, order_id = store.desk, asked.order_id
    match asked:
        case Edit():
            return desk.edit(order_id, add=asked.add, set_to=asked.set_to)
        case HoldOrder():
            return desk.hold(order_id, asked.reason)
        case Assess():
            return desk.assess(order_id, asked.recommendation, asked.level)
        case Cancel():
            return store.cancel_order(order_id, reason=asked.reason, refund=asked.refund)
        case RefundOrder():
            return desk.refund(
                order_id,
                units=asked.units,
                amount=asked.amount,
                shipping=asked.shipping,
                restock_type=asked.restock_type,
            )
        case OpenReturn():
            return desk.open_return(order_id, asked.line_ids, requested=asked.requested)
        case ReceiveReturn():
            return desk.receive_return(order_id, asked.disposition)
        case Plain():
            plain = {
                "release": desk.release,
                "approve_return": desk.approve_return,
                "refund_return": desk.refund_return,
                "close_return": desk.close_return,
            }
            return plain[asked.act](order_id)
