"""The sandbox as the demo meets it: what it prints, what is connected from that, and its controls."""

from __future__ import annotations

import json
from pathlib import Path

import httpx
import pytest

from tests.sandboxes import eventually, running_sandbox
from tests.unit.domain.orders import AT
from tests.unit.sandbox.replay_files import uci_row, write_uci
from tradewind.demo.sandbox import Control, connections_of, described
from tradewind.domain.connections import ConnectionState, Role
from tradewind.sandbox import create_sandbox

DESCRIPTION = create_sandbox(seed=1, faults="none", base_url="http://127.0.0.1:4000").describe()


class TestDescription:
    def test_it_is_read_from_among_other_lines(self, tmp_path: Path) -> None:
        log = tmp_path / "sandbox.log"
        assert described(log) is None
        log.write_text("starting\n")
        assert described(log) is None
        log.write_text(f"starting\n{json.dumps(DESCRIPTION)}\ngoing on\n")
        assert described(log) == DESCRIPTION

    def test_a_line_that_is_not_written_to_its_end_is_waited_for(self, tmp_path: Path) -> None:
        log = tmp_path / "sandbox.log"
        log.write_text(json.dumps(DESCRIPTION)[:-20])
        assert described(log) is None


class TestConnections:
    def test_every_account_becomes_a_live_connection_of_its_role(self) -> None:
        found = {str(one.key): one for one in connections_of(DESCRIPTION, AT)}
        assert {key: one.role for key, one in found.items()} == {
            "shopify:north": Role.STOREFRONT,
            "shopify:south": Role.STOREFRONT,
            "stripe:main": Role.PAYMENT_PROCESSOR,
            "shipstation:main": Role.CARRIER,
            "backoffice:main": Role.JOURNAL,
        }
        assert {one.state for one in found.values()} == {ConnectionState.LIVE}
        assert {one.live_from for one in found.values()} == {AT}

    def test_credentials_are_secrets_and_addresses_settings(self) -> None:
        found = {str(one.key): one for one in connections_of(DESCRIPTION, AT)}
        north = DESCRIPTION["shopify"][0]
        assert found["shopify:north"].secrets == {
            "client_id": north["client_id"], "client_secret": north["client_secret"]
        }  # fmt: skip
        assert found["shopify:north"].settings["base_url"] == north["base_url"]
        for one in found.values():
            assert not {"account", "scopes", "secret_key", "api_key", "client_secret", "secret"} & one.settings.keys()
            assert all(value not in repr(one) for value in one.secrets.values())

    def test_a_provider_that_is_not_described_is_left_out(self) -> None:
        assert connections_of({"stripe": DESCRIPTION["stripe"]}, AT)[0].key.provider == "stripe"
        assert connections_of({}, AT) == []


def test_the_world_is_driven_and_asked_through_its_controls(tmp_path: Path) -> None:
    with running_sandbox() as sandbox, Control(sandbox.describe()) as control:
        assert control.start(orders=2, rate_per_s=100.0)["planned"] == 2
        eventually(lambda: control.progress()["placed"] == 2)
        assert len(control.truth()["orders"]) == 2
        assert control.faults("mild") == {"level": "mild"}
        assert control.plant("stray_charge")["kind"] == "stray_charge"
        for refused in (control.replay, lambda: control.plant("no such fault"), lambda: control.faults("worse")):
            with pytest.raises(httpx.HTTPStatusError):
                refused()


def test_a_history_is_prepared_before_it_is_replayed(tmp_path: Path) -> None:
    file = write_uci(tmp_path, [uci_row("1"), uci_row("C2", quantity=-9)])
    with running_sandbox() as sandbox, Control(sandbox.describe()) as control:
        assert control.prepare(file)["counts"] == {"sale": 1, "credit": 1}
        control.start(replay=str(file), rate_per_s=100.0)
        eventually(lambda: control.progress()["placed"] == 1)
        assert [row["invoice"] for row in control.replay()["invoices"]] == ["1", "C2"]
