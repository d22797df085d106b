"""Faults of the providers' APIs."""

from collections import Counter

import httpx
import pytest

from tests.unit.sandbox.inside import Inside, inside
from tradewind.sandbox.faults import API_KINDS, LEVELS, WEBHOOK_KINDS, Faults, Rate


def only(stage: Inside, **rates: Rate) -> None:
    """From now on these faults strike and no others."""
    stage.sandbox.faults.set_rates(rates)


async def create_intent(stage: Inside, key: str = "key-1") -> httpx.Response:
    account = stage.sandbox.stripe["main"].describe()
    headers = {"Authorization": f"Bearer {account['secret_key']}", "Idempotency-Key": key}
    data = {"amount": "500", "currency": "gbp"}
    return await stage.http.post("/stripe/main/v1/payment_intents", data=data, headers=headers)


async def outcome(stage: Inside, key: str) -> str:
    """The status of the answer, or that there was none."""
    try:
        return str((await create_intent(stage, key)).status_code)
    except httpx.RemoteProtocolError:
        return "cut"


async def list_carriers(stage: Inside) -> httpx.Response:
    account = stage.sandbox.shipstation["main"].describe()
    return await stage.http.get("/shipstation/main/v2/carriers", headers={"API-Key": account["api_key"]})


async def test_a_storm_of_429s_lasts_for_its_connection() -> None:
    async with inside() as stage:
        only(stage, throttle_storm=Rate(1.0, 2.0))
        assert (await list_carriers(stage)).status_code == 429
        only(stage)
        assert (await list_carriers(stage)).headers["Retry-After"] == "1"
        assert (await create_intent(stage)).status_code == 200
        stage.clock.advance(2)
        assert (await list_carriers(stage)).status_code == 200
        assert stage.sandbox.truth.of("throttled") == []


async def test_a_server_error_comes_instead_of_the_effect() -> None:
    async with inside() as stage:
        only(stage, server_error=Rate(1.0))
        assert (await list_carriers(stage)).status_code in (500, 502, 503)


async def test_a_server_error_that_has_a_length_is_an_outage_of_its_connection() -> None:
    async with inside() as stage:
        only(stage, server_error=Rate(1.0, 3600.0))
        assert (await list_carriers(stage)).status_code >= 500
        only(stage)
        stage.clock.advance(600)
        assert (await list_carriers(stage)).status_code >= 500
        assert (await create_intent(stage)).status_code == 200
        stage.clock.advance(3000)
        assert (await list_carriers(stage)).status_code == 200


def test_rates_of_ones_own_name_known_faults() -> None:
    with pytest.raises(ValueError, match="unknown fault fire: expected some of duplicate"):
        Faults("none").set_rates({"fire": Rate(1.0)})


async def test_a_lost_answer_comes_after_the_effect() -> None:
    async with inside() as stage:
        only(stage, lost_answer=Rate(1.0))
        seen = Counter([await outcome(stage, f"key-{n}") for n in range(20)])
        assert len(stage.sandbox.stripe["main"].payments.intents) == 20
        assert set(seen) == {"502", "cut"}
        only(stage)
        assert (await create_intent(stage, "key-0")).headers["Idempotent-Replayed"] == "true"


async def test_a_stripe_500_may_be_kept_for_its_key() -> None:
    async with inside() as stage:
        only(stage, server_error=Rate(1.0))
        failed = {key: await create_intent(stage, key) for key in map(str, range(20))}
        only(stage)
        stage.clock.advance(1)
        again = {key: await create_intent(stage, key) for key in failed}
        kept = {key for key, answer in again.items() if answer.status_code == 500}
        assert 0 < len(kept) < 20
        assert {failed[key].headers["Stripe-Should-Retry"] for key in kept} == {"false"}
        assert {failed[key].headers["Stripe-Should-Retry"] for key in set(failed) - kept} == {"true"}
        assert len(stage.sandbox.stripe["main"].payments.intents) == 20 - len(kept)


@pytest.mark.parametrize(
    "path", ["/control/progress", "/shipstation/main/jwks", "/shopify/north/admin/oauth/access_token"]
)
async def test_control_keys_and_tokens_are_left_alone(path: str) -> None:
    async with inside() as stage:
        only(stage, server_error=Rate(1.0), throttle_storm=Rate(1.0))
        assert (await stage.http.get(path)).status_code not in (429, 500, 502, 503)


def test_every_level_has_every_kind_and_hostile_is_worse_than_mild() -> None:
    assert {frozenset(rates) for rates in LEVELS.values()} == {frozenset((*WEBHOOK_KINDS, *API_KINDS))}
    for kind, mild in LEVELS["mild"].items():
        assert LEVELS["none"][kind].probability == 0 < mild.probability < LEVELS["hostile"][kind].probability
