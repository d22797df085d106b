"""The gateway under test: `python -m benchmarks.gateway.ours FOLDER durable|hmac-only PROCESSES`."""

from __future__ import annotations

import sys
from pathlib import Path

from benchmarks.gateway.deliveries import SECRET
from tradewind.domain.connections import Connection, ConnectionKey, Role
from tradewind.gateway.serve import serve
from tradewind.gateway.writer import Writer
from tradewind.ledger import connections
from tradewind.ledger.delivery import Delivery, Stored
from tradewind.ledger.engine import open_ledger
from tradewind.settings import Settings


class VerifiesOnly(Writer):
    """The same server, which answers as soon as the signature holds: nothing is queued, sealed or stored."""

    async def put(self, delivery: Delivery) -> Stored:
        return Stored(1, duplicate=False)


def main(folder: str, mode: str, processes: str) -> None:
    settings = Settings(state_dir=Path(folder), gateway_processes=int(processes))
    ledger = open_ledger(settings, migrate=True)
    account = Connection(
        key=ConnectionKey.parse("stripe:main"), role=Role.PAYMENT_PROCESSOR, secrets={"webhook_secret": SECRET}
    )
    with ledger.write() as conn:
        connections.put(conn, ledger.keys, account)
    ledger.close()
    queue = VerifiesOnly if mode == "hmac-only" else Writer
    serve(settings, "127.0.0.1", 0, on_ready=lambda url: print(url, flush=True), queue=queue)


if __name__ == "__main__":
    main(*sys.argv[1:])
