"""One demo from start to end: a fresh state folder, the scenario under a screen, the verdict, everything stopped."""

from __future__ import annotations

import json
import shutil
import tempfile
import threading
from pathlib import Path

from rich.console import Console

from tradewind.demo.faults import faults_of
from tradewind.demo.receiver import AlertReceiver
from tradewind.demo.scenario import Plan, Scenario
from tradewind.demo.screen import screen, show_result
from tradewind.gateway.pages.token import how_to_get
from tradewind.settings import Settings
from tradewind.stack.environment import prefect_ui_url
from tradewind.stack.ports import free_port


def run_demo(plan: Plan, console: Console, stopping: threading.Event, *, json_file: Path | None, keep: bool) -> bool:
    """Run it; gives whether nothing was lost, doubled or left unexplained. stopping: set when it should end.

    Raises NotReady, PartDied, Stopped; all that was started is stopped then.
    """
    settings = _settings()
    with AlertReceiver() as receiver, screen(console) as shown:
        scenario = Scenario(plan, settings, receiver, shown.show, stopping)
        try:
            result = scenario.run()
        except BaseException:
            scenario.stop()
            console.print(f"What the parts wrote is in {settings.state_dir / 'logs'}")
            raise
        if not keep:
            scenario.stop()
    faults = faults_of(result)
    show_result(console, result, faults)
    if json_file is not None:
        json_file.write_text(json.dumps(result, indent=2) + "\n")
    if keep:
        _keep_up(console, scenario, stopping)
    if not faults:
        _tidy(settings.state_dir)
    return not faults


def _settings() -> Settings:
    """Nothing of the user's own state is touched: a folder of its own, and free ports."""
    root = Path(".tradewind").absolute()
    root.mkdir(exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="demo-", dir=root))
    return Settings(
        state_dir=folder,
        database_url=f"sqlite:///{folder / 'ledger.db'}",
        keys_url=f"sqlite:///{folder / 'keys.db'}",
        master_key_file=folder / "master.key",
        gateway_port=free_port(),
        prefect_port=free_port(),
    )


def _keep_up(console: Console, scenario: Scenario, stopping: threading.Event) -> None:
    """Wait for Ctrl-C, then stop everything."""
    settings = scenario.stack.settings
    console.print(f"Prefect  {prefect_ui_url(settings)}")
    console.print(f"Pages    {scenario.stack.gateway_url}/deliveries (token: {how_to_get(settings)})", soft_wrap=True)
    console.print(f"Gateway  {scenario.stack.gateway_url}")
    console.print(f"Sandbox  {scenario.shop.description['base_url']}")
    console.print(f"State    {settings.state_dir}")
    console.print("Ctrl-C stops everything.")
    stopping.wait()
    scenario.stop()


def _tidy(folder: Path) -> None:
    """A run that went well leaves nothing but what people may want to read: the summary and the reports."""
    for child in folder.iterdir():
        if child.name in ("books", "reports", "data-docs"):
            continue
        if child.is_dir():
            shutil.rmtree(child, ignore_errors=True)
        else:
            child.unlink(missing_ok=True)
