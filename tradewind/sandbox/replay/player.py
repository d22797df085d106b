"""Acts a history out again: sales are ordered at the stores, cancellations are cancelled there, the rest is booked."""

from __future__ import annotations

import random
from collections.abc import Callable
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from tradewind.sandbox.checkout import Checkout, Order
from tradewind.sandbox.replay.classes import BOOKED, PLACED, Classified, InvoiceClass
from tradewind.sandbox.replay.history import History
from tradewind.sandbox.replay.invoice import Invoice
from tradewind.sandbox.replay.orders import order_lines
from tradewind.sandbox.replay.report import ReplayReport
from tradewind.sandbox.replay.taxes import taxed
from tradewind.sandbox.shopify.order import PlacedLine, StoreOrder
from tradewind.sandbox.shopify.payment import received
from tradewind.sandbox.shoppers import AUTHORIZATION_PROBABILITY, Shopper, invent_payment_id, invent_shopper

if TYPE_CHECKING:
    from tradewind.sandbox.kernel import Sandbox
    from tradewind.sandbox.shopify.store import ShopifyStore
    from tradewind.sandbox.timetable import Step, Timetable

# Goods come back after they went out. An order that has not gone out by then is given its money back all the same.
_LONGEST_WAIT_S: Final = 900.0
_LOOK_EVERY_S: Final = 0.25
_REASONS: Final = {
    InvoiceClass.CREDIT: "credit without a sale in this history",
    InvoiceClass.WRITE_OFF: "stock written off",
    InvoiceClass.ZERO_VALUE: "goods without value",
    InvoiceClass.ADJUSTMENT: "adjustment of the books",
    InvoiceClass.SERVICE: "services only, nothing to ship",
}


class Player:
    """Plays one history. What became of each entry goes into the report."""

    def __init__(
        self, sandbox: Sandbox, checkout: Checkout, timetable: Timetable, history: History, report: ReplayReport
    ) -> None:
        self._sandbox = sandbox
        self._checkout = checkout
        self._timetable = timetable
        self._history = history
        self._report = report
        self._stores = tuple(sandbox.shopify)
        self._sold: dict[str, tuple[str, StoreOrder]] = {}  # invoice number: store, order

    def steps(self, rate_per_s: float) -> list[Step]:
        """One step an entry, evenly spaced, in the order of the file."""
        played = [found for found in self._history.entries if found.kind is not InvoiceClass.REFUSED]
        return [(index / rate_per_s, partial(self._play, found)) for index, found in enumerate(played)]

    def _play(self, found: Classified) -> None:
        try:
            if found.kind in PLACED:
                self._sell(found)
            elif found.kind in BOOKED:
                self._book(found)
            else:
                self._take_back(found)
        except Exception as error:
            self._report.refuse(found.entry.number, f"the {found.kind} could not be replayed: {error}")
            raise

    def _sell(self, found: Classified) -> None:
        invoice = found.invoice
        store_name = self._stores[_digits(invoice.number) % len(self._stores)]
        placed = self._checkout.place(self._order(invoice, store_name))
        self._sold[invoice.number] = store_name, placed
        self._report.note(invoice.number, store=store_name, order_id=placed.id, order_name=placed.name, result="placed")
        if found.kind is InvoiceClass.CANCELLED_SALE:
            self._timetable.later(0.0, partial(self._cancel, invoice.number, invoice.number))
        elif invoice.refunded:
            self._refund_later(invoice.number, invoice.number, [], invoice.refunded)

    def _order(self, invoice: Invoice, store_name: str) -> Order:
        rng = self._sandbox.rng(f"replay/{invoice.number}")
        charged = taxed(
            order_lines(invoice),
            invoice.shipping,
            invoice.tax,
            is_included=invoice.taxes_included,
            currency=invoice.currency,
        )
        lines = [
            PlacedLine(
                sku=line.sku,
                quantity=line.quantity,
                unit_price=line.unit_price,
                discount=line.discount,
                title=line.title,
                requires_shipping=line.requires_shipping,
            )
            for line in charged.lines
        ]
        return Order(
            store=store_name,
            lines=lines,
            total=invoice.total,
            shopper=self._shopper(invoice, rng),
            payment_id=invent_payment_id(rng),
            kind="authorization" if rng.random() < AUTHORIZATION_PROBABILITY else "sale",
            shipping=charged.shipping,
            tax_rate=charged.rate,
            taxes_included=charged.is_included,
            name=invoice.number if invoice.number.startswith("#") else f"#{invoice.number}",
            processed_at=invoice.invoiced_at,
            note_attributes={"invoice": invoice.number} | ({"note": invoice.note} if invoice.note else {}),
            tags=invoice.tags,
        )

    def _shopper(self, invoice: Invoice, rng: random.Random) -> Shopper:
        """The same customer is the same person with the same address, invoice after invoice."""
        known = invoice.customer
        person = self._sandbox.rng(f"customer/{known}") if known else rng
        email = invoice.email or f"{'customer' if known else 'guest'}-{(known or invoice.number).lower()}@example.com"
        shopper = invent_shopper(person, country=invoice.country, email=email)
        if invoice.address is None:
            return shopper
        first, _, last = invoice.address.get("name", "").partition(" ")
        return Shopper(first or shopper.first_name, last or shopper.last_name, email, dict(invoice.address))

    def _take_back(self, found: Classified) -> None:
        assert found.sale is not None
        if found.sale not in self._sold:
            raise ValueError(f"its sale {found.sale} was not placed")
        number = found.invoice.number
        if found.is_whole and self._cancel(number, found.sale):
            return
        self._refund_later(number, found.sale, list(found.returned), -found.invoice.total)

    def _cancel(self, number: str, sale: str) -> bool:
        """Cancel at the store; it refuses once something has been shipped."""
        store, order = self._order_of(sale)
        cancelled = store.cancel_order(order.id, reason="CUSTOMER", refund=True)
        self._note_on_sale(number, sale, "cancelled" if cancelled else "shipped before the cancellation")
        return cancelled

    def _refund_later(self, number: str, sale: str, returned: list[tuple[int, int]], amount: Decimal) -> None:
        store_name, order = self._sold[sale]
        waiting = "waits for the shipment"
        self._report.note(number, store=store_name, order_id=order.id, order_name=order.name, refund=waiting)
        self._timetable.when(
            partial(self._is_done, sale),
            self._guarded(number, partial(self._refund, number, sale, returned, amount)),
            every_s=_LOOK_EVERY_S,
            at_most_s=_LONGEST_WAIT_S,
        )

    def _guarded(self, number: str, action: Callable[[], None]) -> Callable[[], None]:
        def run() -> None:
            try:
                action()
            except Exception as error:
                self._report.note(number, refund=f"failed: {error}")
                raise

        return run

    def _refund(self, number: str, sale: str, returned: list[tuple[int, int]], amount: Decimal) -> None:
        store, order = self._order_of(sale)
        # An invoice's line is the order's line of the same rank among those that were placed.
        placed = {line.source: order.lines[rank].id for rank, line in enumerate(order_lines(self._invoice(sale)))}
        lines = [(placed[index], quantity) for index, quantity in returned]
        if not store.refund_order(order.id, lines, amount, f"invoice {number}"):
            raise ValueError("the store refuses the refund")
        self._note_on_sale(number, sale, "refunded")
        given_back = sum((each.amount for each in order.refunds[-1].transactions), Decimal(0))
        self._report.note(number, refund=str(given_back))

    def _is_done(self, sale: str) -> bool:
        """Paid and shipped."""
        _, order = self._order_of(sale)
        shipped = bool(order.fulfillments) and all(part.status == "CLOSED" for part in order.fulfillment_orders)
        return shipped and received(order) > 0

    def _order_of(self, sale: str) -> tuple[ShopifyStore, StoreOrder]:
        store_name, order = self._sold[sale]
        return self._sandbox.shopify[store_name], order

    def _invoice(self, number: str) -> Invoice:
        return next(found.invoice for found in self._history.entries if found.entry.number == number)

    def _note_on_sale(self, number: str, sale: str, result: str) -> None:
        store_name, order = self._sold[sale]
        self._report.note(number, store=store_name, order_id=order.id, order_name=order.name, result=result)

    def _book(self, found: Classified) -> None:
        for office in self._sandbox.backoffice.values():
            office.post_document(_document(found))
        self._report.note(found.invoice.number, document=found.invoice.number, result="recorded")


def _document(found: Classified) -> dict[str, Any]:
    """A journal document of the back office."""
    invoice = found.invoice
    notes = {line.title for line in invoice.lines if line.title != line.sku and not line.unit_price}
    return {
        "document": invoice.number,
        "kind": str(found.kind),
        "reason": "; ".join([_REASONS[found.kind], *sorted(notes)]),
        "occurred_at": invoice.invoiced_at.isoformat(),
        "currency": invoice.currency,
        "total": str(invoice.total),
        "lines": [
            {"sku": line.sku, "description": line.title, "quantity": line.quantity, "unit_price": str(line.unit_price)}
            for line in invoice.lines
        ],
    }


def _digits(number: str) -> int:
    """The number in an invoice's name: its parity picks the store."""
    return int("".join(character for character in number if character in "0123456789")[-9:] or "0")
