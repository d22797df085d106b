"""Clients against a hostile sandbox, driven as dispatch drives them: every command has its effect once."""

import asyncio

import pytest

from tests.integration.providers.served import sandbox
from tests.unit.providers.labels import COMMAND, DETAILS, NAME
from tests.unit.providers.wire import connection
from tradewind.domain.commands import CapturePayment, RefundPayment, VoidLabel
from tradewind.domain.connections import Role
from tradewind.domain.money import Money
from tradewind.errors import KeySpent, OutcomeUnknown, TransientError
from tradewind.governor import Governor
from tradewind.providers.shipstation.client import ShipStationClient
from tradewind.providers.stripe.client import StripeClient


async def until_settled(attempt):
    """Again after whatever a later attempt may settle, as the outbox does it.

    attempt: is given the generation; the next one goes once the provider has stored a failure under a key.
    """
    generation = 0
    async with asyncio.timeout(90):
        while True:
            try:
                return await attempt(generation)
            except KeySpent:
                generation += 1
            except (TransientError, OutcomeUnknown) as error:
                await asyncio.sleep(min(getattr(error, "retry_after_s", None) or 0.05, 1.0))


@pytest.mark.parametrize("seed", [1, 2])
async def test_money_moves_once(seed):
    async with sandbox(seed, "hostile") as world:
        described = world.stripe["main"].describe()
        client = StripeClient(
            connection(
                "stripe:main",
                Role.PAYMENT_PROCESSOR,
                settings={"base_url": described["base_url"]},
                secrets={"secret_key": described["secret_key"]},
            ),
            Governor(),
        )
        intents = [world.stripe["main"].authorise(1000, "GBP", {}) for _ in range(8)]

        async def settle(intent):
            payment = {"connection": "stripe:main", "order_id": "o", "payment": intent}
            capture = CapturePayment(**payment, amount=Money(minor=1000, currency="GBP"))
            refund = RefundPayment(**payment, amount=Money(minor=300, currency="GBP"), reference="r")
            await until_settled(lambda g: client.capture(capture, f"{intent}/capture/{g}"))
            (event,) = await until_settled(lambda g: client.refund(refund, f"{intent}/refund/{g}"))
            return event.payment

        payments = await asyncio.gather(*map(settle, intents))
        assert [(payment.captured.minor, payment.refunded.minor) for payment in payments] == [(1000, 300)] * 8
        assert len(world.truth.of("captured")) == len(world.truth.of("refunded")) == 8
        assert world.truth.of("throttled") == []
        await client.aclose()


@pytest.mark.parametrize("seed", [1, 2])
async def test_a_label_is_bought_once(seed):
    async with sandbox(seed, "hostile") as world:
        settings = {**world.shipstation["main"].describe(), "calls_per_minute": "6000"}
        secrets = {"api_key": settings.pop("api_key")}
        client = ShipStationClient(connection(NAME, Role.CARRIER, settings=settings, secrets=secrets), Governor())

        async def settle(number):
            command = COMMAND.model_copy(update={"external_shipment_id": f"tw-{number}"})

            async def attempt(_generation):
                return await client.find_label(command) or await client.buy_label(command, DETAILS)

            (bought,) = await until_settled(attempt)
            void = VoidLabel(connection=NAME, order_id="o", label=bought.label.external_id)
            if number % 2:
                (bought,) = await until_settled(lambda _generation: client.void_label(void))
            return bought.label.state.value

        states = await asyncio.gather(*map(settle, range(8)))
        assert states == ["purchased", "voided"] * 4
        requested = [fact["external_shipment_id"] for fact in world.truth.of("label_requested")]
        assert sorted(requested) == sorted(f"tw-{number}" for number in range(8))
        assert len(world.truth.of("label_voided")) == 4
        await client.aclose()
