"""Along which steps an order may move. The table makes its own page: `python -m tradewind.domain.lifecycle`.

A record is made of what several systems tell, each late or out of turn, so a change of the record may skip states that
were never seen: it may move wherever steps lead. Disputes and returns interrupt an order: what follows them depends on
what it was before, so steps lead on from them only for a record that is there.
"""

from __future__ import annotations

import sys
from functools import cache
from typing import NamedTuple

from tradewind.domain.states import OrderState

_S = OrderState


class Step(NamedTuple):
    """because: what happens, in words, when an order moves from one state to the next."""

    state: OrderState
    because: str
    following: OrderState


def _steps(because: str, following: OrderState, *states: OrderState) -> tuple[Step, ...]:
    return tuple(Step(state, because, following) for state in states)


_UNPAID = (_S.PLACED, _S.AUTHORIZED, _S.PARTIALLY_PAID)
_BEFORE_SHIPPING = (*_UNPAID, _S.ON_HOLD, _S.PAID, _S.LABELLED, _S.COMPLETED, _S.PARTIALLY_REFUNDED)
_SENT = (_S.PARTIALLY_SHIPPED, _S.SHIPPED, _S.DELIVERED, _S.DELIVERY_FAILED)
_SIDE = (_S.DISPUTED, _S.RETURN_REQUESTED, _S.RETURNED)
_STANDING = (*_BEFORE_SHIPPING, *_SENT, _S.REFUNDED)

STEPS: tuple[Step, ...] = (
    *_steps("the storefront describes it", _S.PLACED, _S.UNKNOWN),
    *_steps("its goods are held, or its risk is not accepted", _S.ON_HOLD, *_UNPAID, _S.PAID, _S.PARTIALLY_REFUNDED),
    *_steps("the hold is released", _S.PLACED, _S.ON_HOLD),
    *_steps("money is authorised", _S.AUTHORIZED, _S.PLACED),
    *_steps("the authorisation ends or is released", _S.PLACED, _S.AUTHORIZED),
    *_steps("a part is captured", _S.PARTIALLY_PAID, _S.PLACED, _S.AUTHORIZED),
    *_steps("an edit raises the total", _S.PARTIALLY_PAID, _S.PAID, _S.COMPLETED, _S.DELIVERED),
    *_steps("all that is due is captured", _S.PAID, *_UNPAID),
    *_steps("all that is due is captured, and nothing ships", _S.COMPLETED, *_UNPAID),
    *_steps("an edit adds what ships, or takes the last of it off", _S.COMPLETED, _S.PAID),
    *_steps("an edit adds what ships, or takes the last of it off", _S.PAID, _S.COMPLETED),
    *_steps("a label is bought", _S.LABELLED, _S.PAID, _S.PARTIALLY_PAID, _S.PARTIALLY_REFUNDED, _S.ON_HOLD),
    *_steps("the label is voided", _S.PAID, _S.LABELLED),
    *_steps("the store is told of a parcel, others wait", _S.PARTIALLY_SHIPPED, _S.PAID, _S.LABELLED, _S.PLACED),
    *_steps("the store is told of the last parcel", _S.SHIPPED, _S.PARTIALLY_SHIPPED, _S.LABELLED, _S.PAID, _S.PLACED),
    *_steps("an edit adds units", _S.PARTIALLY_SHIPPED, _S.SHIPPED, _S.DELIVERED),
    *_steps("the store calls a parcel back", _S.PAID, _S.PARTIALLY_SHIPPED, _S.SHIPPED),
    *_steps("the carrier delivers every parcel", _S.DELIVERED, _S.SHIPPED, _S.DELIVERY_FAILED),
    *_steps("a delivery fails", _S.DELIVERY_FAILED, _S.PARTIALLY_SHIPPED, _S.SHIPPED, _S.DELIVERED),
    *_steps("the parcel is on its way again", _S.SHIPPED, _S.DELIVERY_FAILED, _S.DELIVERED),
    *_steps("a part is refunded", _S.PARTIALLY_REFUNDED, _S.PAID, _S.COMPLETED, _S.DELIVERED, _S.PARTIALLY_PAID),
    *_steps("everything is refunded", _S.REFUNDED, *_UNPAID, _S.ON_HOLD, _S.PAID, _S.LABELLED, _S.COMPLETED),
    *_steps("everything is refunded", _S.REFUNDED, *_SENT, _S.PARTIALLY_REFUNDED),
    *_steps("more is captured after that", _S.PARTIALLY_REFUNDED, _S.REFUNDED),
    *_steps(
        "goods are to come back: asked for, or cancelled after they left",
        _S.RETURN_REQUESTED,
        *_SENT,
        _S.PARTIALLY_REFUNDED,
        _S.REFUNDED,
    ),
    *_steps("the return is declined or ends with goods kept", _S.SHIPPED, _S.RETURN_REQUESTED),
    *_steps("all goods are back", _S.RETURNED, _S.RETURN_REQUESTED, *_SENT, _S.PARTIALLY_REFUNDED, _S.REFUNDED),
    *_steps("another return is opened", _S.RETURN_REQUESTED, _S.RETURNED),
    *_steps("an edit adds units", _S.PARTIALLY_SHIPPED, _S.RETURNED),
    *_steps("it is cancelled before its parcel has left", _S.CANCELLED, *_BEFORE_SHIPPING, _S.REFUNDED),
    *_steps("its parcel turns out to have left", _S.RETURN_REQUESTED, _S.CANCELLED),
    *_steps("all goods are back", _S.RETURNED, _S.CANCELLED),
    *_steps("a bank disputes its payment", _S.DISPUTED, *_STANDING, _S.CANCELLED, _S.RETURN_REQUESTED, _S.RETURNED),
    *_steps("the dispute is lost", _S.REFUNDED, _S.DISPUTED),
    *_steps("the dispute is won or prevented", _S.PAID, _S.DISPUTED),
    *_steps("the dispute ends, the order was cancelled", _S.CANCELLED, _S.DISPUTED),
)
"""Every step, in the order in which orders mostly take them."""


def may_move(before: OrderState, after: OrderState) -> bool:
    """Whether a record may go from one state to the other: it stays, or steps lead there."""
    return before is after or after in _reachable(before)


@cache
def _reachable(state: OrderState) -> frozenset[OrderState]:
    found: set[OrderState] = set()
    waiting = [state]
    while waiting:
        here = waiting.pop()
        if here in _SIDE and here is not state:
            continue
        ahead = {step.following for step in STEPS if step.state is here} - found
        found |= ahead
        waiting += ahead
    return frozenset(found)


def page() -> str:
    """The table as a page: a state diagram in Mermaid, and every step in words."""
    arrows = "\n".join(f"    {step.state.value} --> {step.following.value}" for step in STEPS)
    rows = "\n".join(f"| {step.state.value} | {step.because} | {step.following.value} |" for step in STEPS)
    return f"""# The life of an order

<!-- Made by `python -m tradewind.domain.lifecycle > docs/reference/order-lifecycle.md`. Change the table in
     `tradewind/domain/lifecycle.py`, not this page. -->

An order's state is one word derived from its record (`tradewind/domain/states.py`); its money and its goods have states
of their own beside it. A record moves along these steps, and may skip what was never seen of it. Disputes and
returns interrupt an order: what it was before decides what may follow.

```mermaid
stateDiagram-v2
    [*] --> {_S.UNKNOWN.value}
{arrows}
```

| From | When | To |
|---|---|---|
{rows}
"""


if __name__ == "__main__":
    sys.stdout.write(page())
