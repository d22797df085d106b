import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.governor.virtual_clock import VirtualClock
from tradewind.governor import Budget, LocalLeases, ShareLeases, current_lane, lane
from tradewind.governor.bucket import TokenBucket

BUDGET = Budget("stripe:main", capacity=10, per_second=2, critical_reserve=0.2)

attempts = st.lists(
    st.tuples(
        st.floats(min_value=0, max_value=20),  # seconds before the attempt
        st.floats(min_value=0.1, max_value=10),  # cost
        st.sampled_from(["critical", "normal", "deferred"]),
    ),
    max_size=60,
)


@given(attempts, st.sampled_from([0.0, 0.5, 1.0]), st.sampled_from([1.0, 0.5, 0.1]))
async def test_no_span_of_time_grants_more_than_capacity_and_refill(tries, initial, share):
    clock = VirtualClock()
    budget = Budget("x", capacity=10 / share, per_second=2 / share, initial=initial)
    leases = ShareLeases(share, clock) if share < 1 else LocalLeases(clock)
    grants = []
    for pause_s, cost, in_lane in tries:
        clock.elapsed_s += pause_s
        if await leases.lease("x", budget, cost, in_lane) == 0.0:
            grants.append((clock.elapsed_s, cost))
    for start, (from_s, _) in enumerate(grants):
        spent = 0.0
        for at_s, cost in grants[start:]:
            spent += cost
            assert spent <= 10 + 2 * (at_s - from_s) + 1e-6


async def test_processes_that_follow_one_another_stay_within_one_budget():
    clock = VirtualClock()
    granted = 0
    for _ in range(60):  # a new process each second, each as greedy as it can be
        leases = LocalLeases(clock)
        while await leases.lease("x", BUDGET, 1, "critical") == 0.0:
            granted += 1
        clock.elapsed_s += 1
        while await leases.lease("x", BUDGET, 1, "critical") == 0.0:
            granted += 1
    assert granted <= BUDGET.capacity + BUDGET.per_second * 60


async def test_a_call_that_never_fits_is_an_error_rather_than_an_endless_wait():
    leases = LocalLeases(VirtualClock())
    with pytest.raises(ValueError, match="11"):
        await leases.lease("x", BUDGET, 11, "critical")


async def test_a_share_smaller_than_a_call_lets_it_through_and_leaves_a_debt():
    clock = VirtualClock()
    leases = ShareLeases(0.1, clock)
    clock.elapsed_s = 1000.0
    await leases.lease("x", BUDGET, 0.01, "critical")
    clock.elapsed_s += 1000.0
    assert await leases.lease("x", BUDGET, 5, "critical") == 0.0
    wait_s = await leases.lease("x", BUDGET, 1, "critical")
    assert wait_s == 5 / 0.2


async def test_only_critical_calls_draw_on_the_reserve():
    clock = VirtualClock()
    leases = LocalLeases(clock)
    budget = Budget("x", capacity=10, per_second=1, critical_reserve=0.5, initial=1.0)
    assert await leases.lease("x", budget, 5, "deferred") == 0.0
    assert await leases.lease("x", budget, 1, "deferred") > 0
    assert await leases.lease("x", budget, 1, "normal") > 0
    assert await leases.lease("x", budget, 5, "critical") == 0.0


async def test_a_new_share_counts_from_the_next_lease():
    clock = VirtualClock()
    leases = ShareLeases(1.0, clock)
    full = Budget("x", capacity=10, per_second=2, initial=1.0)
    await leases.lease("x", full, 1, "critical")
    leases.set_share(0.5)
    assert await leases.lease("x", full, 5, "critical") == 0.0
    assert await leases.lease("x", full, 1, "critical") == 1.0  # one unit, at half of two a second


@pytest.mark.parametrize("share", [0, -0.5, 1.5])
def test_a_share_outside_of_its_range_is_refused(share):
    with pytest.raises(ValueError, match="share"):
        ShareLeases(share)


def test_a_clock_that_goes_back_adds_nothing():
    bucket = TokenBucket(capacity=10, per_second=1, tokens=0, now=100.0)
    assert bucket.tokens(50.0) == 0
    assert bucket.tokens(101.0) == 1


def test_correction_only_lowers():
    bucket = TokenBucket(capacity=10, per_second=1, tokens=4, now=0.0)
    bucket.lower_to(8, 0.0)
    assert bucket.tokens(0.0) == 4
    bucket.lower_to(1, 0.0)
    assert bucket.tokens(0.0) == 1


def test_lane_is_the_contexts_and_critical_outside_of_it():
    assert current_lane() == "critical"
    with lane("deferred"):
        assert current_lane() == "deferred"
        with lane("normal"):
            assert current_lane() == "normal"
        assert current_lane() == "deferred"
    assert current_lane() == "critical"
