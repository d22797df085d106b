"""The table of steps: complete, and the page that it makes is the one in the docs."""

from pathlib import Path

import pytest

from tradewind.domain.lifecycle import STEPS, may_move, page
from tradewind.domain.states import OrderState

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "order-lifecycle.md"


def test_every_state_but_the_first_is_reached_and_every_one_leads_on() -> None:
    states = set(OrderState)
    assert {step.following for step in STEPS} == states - {OrderState.UNKNOWN}
    assert {step.state for step in STEPS} == states


def test_no_step_stands_twice_and_none_leads_to_itself() -> None:
    pairs = [(step.state, step.following) for step in STEPS]
    assert len(set(pairs)) == len(pairs)
    assert all(state is not following for state, following in pairs)


@pytest.mark.parametrize("state", list(OrderState))
def test_nothing_that_was_described_is_unknown_again(state: OrderState) -> None:
    assert may_move(OrderState.UNKNOWN, state)
    assert may_move(state, OrderState.UNKNOWN) == (state is OrderState.UNKNOWN)


@pytest.mark.parametrize("state", [OrderState.PAID, OrderState.PLACED, OrderState.LABELLED, OrderState.COMPLETED])
def test_a_cancelled_order_is_not_worked_on_again(state: OrderState) -> None:
    assert not may_move(OrderState.CANCELLED, state)
    assert may_move(state, OrderState.CANCELLED)


def test_disputes_and_returns_lead_on_only_from_themselves() -> None:
    assert may_move(OrderState.CANCELLED, OrderState.DISPUTED)
    assert may_move(OrderState.DISPUTED, OrderState.PAID)
    assert may_move(OrderState.CANCELLED, OrderState.RETURN_REQUESTED)
    assert may_move(OrderState.RETURN_REQUESTED, OrderState.SHIPPED)
    assert not may_move(OrderState.CANCELLED, OrderState.SHIPPED)


def test_the_page_in_the_docs_is_the_tables() -> None:
    assert PAGE.read_text() == page(), "run: python -m tradewind.domain.lifecycle > docs/reference/order-lifecycle.md"
