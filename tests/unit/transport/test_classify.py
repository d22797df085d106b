import httpx
import pytest

from tradewind.errors import OutcomeUnknown, ProviderUnavailable, RateLimited, RequestRejected
from tradewind.transport import Call, classify
from tradewind.transport.classify import classify_failure

READ = Call("orders.list", idempotent=True, effect=False)
KEYED = Call("capture", idempotent=True, effect=True)
WRITE = Call("labels.create", idempotent=False, effect=True)


def answer(status, **headers):
    return httpx.Response(status, headers=headers, request=httpx.Request("GET", "http://provider/x"))


@pytest.mark.parametrize("status", [200, 201, 202, 204])
def test_success_is_no_error(status):
    assert classify(answer(status), WRITE) is None


@pytest.mark.parametrize("call", [READ, KEYED, WRITE])
def test_429_means_nothing_happened(call):
    error = classify(answer(429, **{"Retry-After": "7"}), call)
    assert isinstance(error, RateLimited)
    assert error.retry_after_s == 7


@pytest.mark.parametrize("status", [500, 502, 503, 504, 529])
def test_a_server_error_leaves_the_outcome_of_a_write_unknown(status):
    assert isinstance(classify(answer(status), READ), ProviderUnavailable)
    assert isinstance(classify(answer(status), KEYED), OutcomeUnknown)
    assert isinstance(classify(answer(status), WRITE), OutcomeUnknown)


@pytest.mark.parametrize("status", [301, 400, 401, 402, 403, 404, 409, 422])
def test_a_refusal_is_permanent_and_keeps_its_status(status):
    error = classify(answer(status), WRITE)
    assert isinstance(error, RequestRejected)
    assert error.status == status


@pytest.mark.parametrize("status", [408, 425])
def test_a_request_that_was_not_taken_may_be_sent_again(status):
    assert isinstance(classify(answer(status), WRITE), ProviderUnavailable)


@pytest.mark.parametrize("failure", [httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout])
def test_what_was_never_sent_had_no_effect(failure):
    assert isinstance(classify_failure(failure("x"), WRITE), ProviderUnavailable)


@pytest.mark.parametrize(
    "failure", [httpx.ReadTimeout, httpx.ReadError, httpx.WriteTimeout, httpx.WriteError, httpx.RemoteProtocolError]
)
def test_what_was_sent_without_an_answer_may_have_had_its_effect(failure):
    assert isinstance(classify_failure(failure("x"), WRITE), OutcomeUnknown)
    assert isinstance(classify_failure(failure("x"), READ), ProviderUnavailable)
