"""What a merchant does at the desk after an order was placed: change it, hold it, take it back, give money back."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING

from tradewind.sandbox.shopify import editing, holding, paying, refunding, returning
from tradewind.sandbox.shopify.order import Return, Risk, StoreOrder
from tradewind.sandbox.shopify.payment import owed, received, refunded
from tradewind.sandbox.shopify.refunding import Units
from tradewind.sandbox.shopify.refusal import RefusalError
from tradewind.sandbox.shopify.returning import Wanted

if TYPE_CHECKING:
    from tradewind.sandbox.shopify.store import ShopifyStore


class Desk:
    """One store's. Each doing says whether the store let it happen."""

    def __init__(self, store: ShopifyStore) -> None:
        self._store = store

    def edit(
        self, order_id: str, *, add: Mapping[str, int] | None = None, set_to: Mapping[int, int] | None = None
    ) -> bool:
        """Change an order. add: units of new lines by SKU; set_to: units by line id."""
        return self._did(
            lambda order: editing.edit(self._store, order, add=add or {}, quantities=set_to or {}), order_id
        )

    def hold(self, order_id: str, reason: str = "OTHER", notes: str | None = None) -> bool:
        """Let nothing of an order leave. reason: as the API's enum."""

        def act(order: StoreOrder) -> None:
            for each in order.fulfillment_orders:
                if each.status != "CLOSED":
                    holding.hold(self._store, order, each, reason, notes=notes)

        return self._did(act, order_id)

    def release(self, order_id: str) -> bool:
        """Let an order go again."""

        def act(order: StoreOrder) -> None:
            for each in order.fulfillment_orders:
                holding.release(self._store, order, each)

        return self._did(act, order_id)

    def assess(self, order_id: str, recommendation: str, level: str) -> bool:
        """The fraud analysis says otherwise. Both as the API's enums."""
        return self._did(lambda order: holding.assess(self._store, order, Risk(recommendation, level)), order_id)

    def collect(self, order_id: str, *, gateway: str, kind: str, payment_id: str | None = None) -> Decimal:
        """The shopper pays what is owed and not promised yet. kind: as in `place_order`. Gives the amount, or 0."""
        order = self._store.order(order_id)
        amount = owed(order)
        if amount <= 0:
            return Decimal(0)
        paying.add(self._store, order, gateway=gateway, kind=kind, payment_id=payment_id, amount=amount)
        return amount

    def give_back_excess(self, order_id: str) -> bool:
        """Money that was taken beyond what the order is worth now."""
        order = self._store.order(order_id)
        excess = received(order) - refunded(order) - order.current_total
        return excess > 0 and self.refund(order_id, amount=excess)

    def refund(
        self,
        order_id: str,
        *,
        units: Mapping[int, int] | None = None,
        amount: Decimal | None = None,
        shipping: bool = False,
        restock_type: str = "NO_RESTOCK",
    ) -> bool:
        """Give money back. units: by line id, for what they cost; amount: instead of that; shipping: what it cost.

        Tax that was added goes back with what it was added to.
        """

        def act(order: StoreOrder) -> None:
            lines = [(line, (units or {})[line.id]) for line in order.lines if line.id in (units or {})]
            worth = sum((refunding.worth(order, line, quantity) for line, quantity in lines), Decimal(0))
            charge = order.current_shipping if shipping else Decimal(0)
            tax = order.current_shipping_tax if shipping and not order.taxes_included else Decimal(0)
            back = amount if amount is not None else worth + charge + tax
            back = min(back, received(order) - refunded(order))
            refunding.refund(
                self._store,
                order,
                [Units(line, quantity, restock_type) for line, quantity in lines],
                shipping=charge,
                paybacks=refunding.spread(order, back),
            )

        return self._did(act, order_id)

    def open_return(self, order_id: str, line_ids: Sequence[int] | None = None, *, requested: bool = False) -> bool:
        """A return of everything that was shipped, or of these lines."""

        def act(order: StoreOrder) -> None:
            wanted = [
                Wanted(row, row.quantity)
                for fulfillment in order.fulfillments
                for row in fulfillment.lines
                if line_ids is None or row.line.id in line_ids
            ]
            returning.create(self._store, order, wanted, requested=requested)

        return self._did(act, order_id)

    def approve_return(self, order_id: str) -> bool:
        """Agree to a request."""
        return self._with_return(order_id, "REQUESTED", lambda order, each: returning.approve(self._store, order, each))

    def receive_return(self, order_id: str, kind: str = "RESTOCKED") -> bool:
        """All of it has arrived. kind: what becomes of it, as the API's ReverseFulfillmentOrderDispositionType."""

        def act(order: StoreOrder, given: Return) -> None:
            for line in given.lines:
                returning.dispose(self._store, order, given, line, kind, line.quantity, None)

        return self._with_return(order_id, "OPEN", act)

    def refund_return(self, order_id: str) -> bool:
        """Give back what the goods of a return cost."""
        return self._with_return(
            order_id, "OPEN", lambda order, given: refunding.refund_return(self._store, order, given)
        )

    def close_return(self, order_id: str) -> bool:
        """Nothing is left to do about it."""
        return self._with_return(order_id, "OPEN", lambda order, each: returning.close(self._store, order, each))

    def _with_return(self, order_id: str, status: str, act: Callable[[StoreOrder, Return], object]) -> bool:
        found = next((each for each in self._store.order(order_id).returns if each.status == status), None)
        return found is not None and self._did(lambda order: act(order, found), order_id)

    def _did(self, act: Callable[[StoreOrder], object], order_id: str) -> bool:
        try:
            act(self._store.order(order_id))
        except RefusalError:
            return False
        return True
