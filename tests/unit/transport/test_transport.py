import logging

import httpx
import pytest

from tests.unit.governor.virtual_clock import VirtualClock
from tradewind.errors import (
    ConfigurationError,
    OutcomeUnknown,
    ProviderUnavailable,
    RateLimited,
    RequestRejected,
)
from tradewind.governor import Budget, Governor, lane
from tradewind.telemetry.api_calls import ApiCalls
from tradewind.transport import NO_RETRY, Feedback, HeaderAuth, Transport, classify

NAME = "stripe:main"


class Provider:
    """Answers from a list, one entry per request: a status, a response or an exception."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.requests = []

    def __call__(self, request):
        self.requests.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return httpx.Response(answer, json={}) if isinstance(answer, int) else answer


def connected(provider, *, budget=None, auth=None, **options):
    clock = VirtualClock()
    calls = ApiCalls()
    transport = Transport(
        NAME,
        "http://provider/base/",
        auth,
        budget or Budget(NAME, capacity=100, per_second=100, initial=1.0),
        Governor(clock=clock),
        client=httpx.AsyncClient(transport=httpx.MockTransport(provider)),
        telemetry=calls,
        **options,
    )
    return transport, clock, calls


async def test_a_path_goes_below_the_base_address():
    provider = Provider(200)
    transport, clock, _ = connected(provider, auth=HeaderAuth("API-Key", "k"), headers={"X-Version": "1"})
    await clock.run(transport.request("GET", "/v1/things", params={"a": 1}, headers={"X-One": "2"}, idempotent=True))
    (request,) = provider.requests
    assert str(request.url) == "http://provider/base/v1/things?a=1"
    assert request.headers["API-Key"] == "k"
    assert request.headers["X-Version"] == "1"
    assert request.headers["X-One"] == "2"
    assert request.headers["User-Agent"].startswith("tradewind/")


async def test_a_transient_failure_is_tried_three_times_at_most():
    provider = Provider(503)
    transport, clock, calls = connected(provider)
    with pytest.raises(ProviderUnavailable):
        await clock.run(transport.request("GET", "/x", idempotent=True, operation="x.get"))
    assert len(provider.requests) == 3
    assert calls.totals[NAME, "x.get"].tries == 3
    assert calls.totals[NAME, "x.get"].errors == {"ProviderUnavailable": 1}


async def test_a_keyed_write_is_sent_again_unchanged():
    provider = Provider(500, httpx.ReadTimeout("slow"), 200)
    transport, clock, _ = connected(provider)
    await clock.run(transport.request("POST", "/x", data={"a": "1"}, headers={"Idempotency-Key": "k"}, idempotent=True))
    assert [request.headers["Idempotency-Key"] for request in provider.requests] == ["k"] * 3
    assert [request.content for request in provider.requests] == [b"a=1"] * 3


@pytest.mark.parametrize("failure", [502, httpx.ReadTimeout("slow"), httpx.RemoteProtocolError("closed")])
async def test_a_write_that_is_not_keyed_is_never_sent_twice(failure):
    provider = Provider(failure)
    transport, clock, _ = connected(provider)
    with pytest.raises(OutcomeUnknown):
        await clock.run(transport.request("POST", "/x", json={}, idempotent=False))
    assert len(provider.requests) == 1


@pytest.mark.parametrize("nothing_happened", [429, httpx.ConnectError("refused")])
async def test_a_write_that_did_not_reach_the_provider_is_sent_again(nothing_happened):
    provider = Provider(nothing_happened, 200)
    transport, clock, _ = connected(provider)
    await clock.run(transport.request("POST", "/x", json={}, idempotent=False))
    assert len(provider.requests) == 2


async def test_a_refusal_is_not_repeated():
    provider = Provider(400)
    transport, clock, _ = connected(provider)
    with pytest.raises(RequestRejected):
        await clock.run(transport.request("GET", "/x", idempotent=True))
    assert len(provider.requests) == 1


async def test_retry_after_is_honoured():
    provider = Provider(httpx.Response(429, headers={"Retry-After": "4"}), 200)
    transport, clock, calls = connected(provider)
    await clock.run(transport.request("GET", "/x", idempotent=True, operation="x"))
    assert clock.elapsed_s >= 4
    assert calls.totals[NAME, "x"].throttled == 1


async def test_a_retry_after_beyond_the_time_of_a_request_is_left_to_the_caller():
    provider = Provider(httpx.Response(429, headers={"Retry-After": "60"}))
    transport, clock, _ = connected(provider)
    with pytest.raises(RateLimited) as limited:
        await clock.run(transport.request("GET", "/x", idempotent=True))
    assert limited.value.retry_after_s == 60
    assert len(provider.requests) == 1


async def test_after_a_429_nobody_else_calls_before_the_time_is_over():
    provider = Provider(httpx.Response(429, headers={"Retry-After": "5"}), 200)
    transport, clock, _ = connected(provider)

    async def work():
        with pytest.raises(RateLimited):
            await transport.request("GET", "/x", idempotent=True, retry=NO_RETRY)
        await transport.request("GET", "/y", idempotent=True)

    await clock.run(work())
    assert clock.elapsed_s >= 5


async def test_stripe_should_retry_false_ends_the_tries():
    provider = Provider(httpx.Response(500, headers={"Stripe-Should-Retry": "false"}))
    transport, clock, _ = connected(provider)
    with pytest.raises(OutcomeUnknown):
        await clock.run(transport.request("POST", "/x", idempotent=True))
    assert len(provider.requests) == 1


async def test_every_try_is_paid_from_the_budget():
    provider = Provider(503, 200)
    transport, clock, _ = connected(provider, budget=Budget(NAME, capacity=1, per_second=0.25, initial=1.0))
    await clock.run(transport.request("GET", "/x", idempotent=True))
    assert clock.elapsed_s >= 4


async def test_the_providers_classification_sees_answers_of_status_200():
    def throttled_inside(response, call):
        if response.json().get("throttled"):
            return RateLimited("inside")
        return classify(response, call)

    provider = Provider(httpx.Response(200, json={"throttled": True}), 200)
    transport, clock, _ = connected(provider, classify=throttled_inside)
    await clock.run(transport.request("POST", "/graphql", json={}, idempotent=True, effect=False))
    assert len(provider.requests) == 2


async def test_what_a_response_says_of_the_budget_paces_the_next_call():
    def observe(response, cost):
        return Feedback(remaining=response.json()["left"], restore_per_s=2.0)

    provider = Provider(httpx.Response(200, json={"left": 1}), httpx.Response(200, json={"left": 100}))
    transport, clock, _ = connected(provider, observe=observe)

    async def work():
        await transport.request("GET", "/x", cost=10, idempotent=True)
        await transport.request("GET", "/x", cost=5, idempotent=True)

    await clock.run(work())
    # One is left and five are needed, at two a second.
    assert clock.elapsed_s == pytest.approx(2.0)


async def test_the_lane_is_the_contexts_unless_it_is_given():
    provider = Provider(200)
    transport, clock, _ = connected(
        provider, budget=Budget(NAME, capacity=10, per_second=1, critical_reserve=0.5, initial=0.5)
    )

    async def work():
        with lane("deferred"):
            await transport.request("GET", "/x", idempotent=True, lane="critical")
            assert clock.elapsed_s == 0
            await transport.request("GET", "/x", idempotent=True)
            assert clock.elapsed_s == pytest.approx(2.0)

    await clock.run(work())


async def test_a_call_leaves_one_log_line_without_its_payload(caplog):
    provider = Provider(400)
    transport, clock, _ = connected(provider)
    with caplog.at_level(logging.DEBUG, logger="tradewind.api"), pytest.raises(RequestRejected):
        await clock.run(transport.request("POST", "/x", json={"email": "ada@example.com"}, idempotent=True))
    (record,) = [record for record in caplog.records if record.name == "tradewind.api"]
    assert "error=RequestRejected" in record.getMessage()
    assert "ada@example.com" not in record.getMessage()


def test_an_address_that_is_none_names_the_setting():
    with pytest.raises(ConfigurationError) as wrong:
        Transport(NAME, "provider.example", None, Budget(NAME, 1, 1), Governor())
    assert wrong.value.setting == "base_url"


async def test_a_client_of_our_own_is_closed():
    transport = Transport(NAME, "http://provider", None, Budget(NAME, 1, 1), Governor())
    await transport.aclose()
    with pytest.raises(RuntimeError):
        await transport.request("GET", "/x", idempotent=True)
