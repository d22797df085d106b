import pytest

from tests.unit.providers.wire import connection
from tradewind.domain.connections import Role
from tradewind.errors import ConfigurationError
from tradewind.providers import backoffice, shipstation, stripe


def carrier(*, key="live", **settings):
    return shipstation.budget(connection("shipstation:main", Role.CARRIER, settings=settings, secrets={"api_key": key}))


@pytest.mark.parametrize(
    ("budget", "calls"),
    [
        (carrier(), 200),
        (carrier(key="TEST_x"), 200),
        (carrier(key="TEST_x", prefix="v1"), 20),
        (carrier(calls_per_minute="600"), 600),
    ],
)
def test_no_minute_can_exceed_shipstations_limit(budget, calls):
    assert calls * 0.9 < budget.capacity + 60 * budget.per_second < calls
    assert budget.capacity >= 1


@pytest.mark.parametrize("calls", ["", "many", "-1", "5"])
def test_a_limit_that_is_none_names_the_setting(calls):
    with pytest.raises(ConfigurationError) as wrong:
        carrier(calls_per_minute=calls)
    assert wrong.value.setting == "calls_per_minute"


@pytest.mark.parametrize(
    ("key", "calls"), [("sk_test_1", 25), ("rk_test_1", 25), ("sk_live_1", 100), ("rk_live_1", 100), ("", 25)]
)
def test_no_second_can_exceed_stripes_limit(key, calls):
    budget = stripe.budget(connection("stripe:main", Role.PAYMENT_PROCESSOR, secrets={"secret_key": key}))
    assert calls * 0.8 < budget.capacity + budget.per_second < calls


def test_the_back_office_has_a_budget_too():
    assert backoffice.budget(connection("backoffice:main", Role.JOURNAL)).per_second > 0
