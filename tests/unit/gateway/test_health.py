"""What a platform learns from /healthz and /readyz."""

from tests.unit.gateway.fakes import FAKE, FakeStore, fake_store, running, until
from tradewind.gateway.app import create_app
from tradewind.gateway.health import Health
from tradewind.gateway.writer import Writer


async def test_a_working_gateway_is_alive_and_ready() -> None:
    async with running(create_app(fake_store(), providers={"fake": FAKE})) as client:
        assert (await client.get("/healthz")).status_code == 200
        answer = await client.get("/readyz")
    assert answer.status_code == 200
    assert answer.json() == {"ready": True, "fault": None, "queue_depth": 0, "queue_capacity": 2000}


async def test_a_gateway_without_its_store_is_alive_but_not_ready() -> None:
    store = fake_store()
    store.away = True
    async with running(create_app(store, providers={"fake": FAKE})) as client:
        assert (await client.get("/healthz")).status_code == 200
        answer = await client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["fault"] == "the ledger is not available: gone"


async def _report(health: Health) -> tuple[int, bytes]:
    answer = await health.readyz(None)  # type: ignore[arg-type]
    return answer.status_code, bytes(answer.body)


async def test_a_probe_that_hangs_is_a_fault_and_is_not_started_twice() -> None:
    store: FakeStore = fake_store()
    probes = 0

    def probe() -> None:
        nonlocal probes
        probes += 1
        store.probe()

    writer = Writer(store.store)
    writer.start()
    health = Health(writer, probe, within_s=0.02, spacing_s=0.0)

    async def ready() -> bool:
        return (await _report(health))[0] == 200

    store.open_gate.clear()
    for _ in range(3):
        status, body = await _report(health)
        assert (status, b"does not answer" in body) == (503, True)
    assert probes == 1
    store.open_gate.set()
    await until(ready)
    await writer.close()


async def test_a_gateway_whose_writer_ended_asks_for_a_restart() -> None:
    store = fake_store()
    writer = Writer(store.store)
    app = create_app(store, providers={"fake": FAKE}, writer=writer)
    async with running(app) as client:
        await writer.close()
        assert (await client.get("/healthz")).status_code == 503
        assert (await client.get("/readyz")).status_code == 503
        refused = await client.post("/hooks/fake/north", content=b"d", headers={"x-signature": "good"})
        assert refused.status_code == 503
