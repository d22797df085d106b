"""Steps of the reporting sync."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

from prefect import task
from prefect.artifacts import acreate_table_artifact

from tasks.retries import BATCH_RETRIES
from tasks.work import work
from tradewind.sync.reporting import Report, publish_reports


@task(task_run_name="publish the reports", **BATCH_RETRIES)
async def publish() -> Report:
    """Write the data sets and publish them together."""
    async with work("deferred") as at:
        report = await asyncio.to_thread(publish_reports, at.ledger, at.settings.state_dir, now=datetime.now(UTC))
    table = [{"file": file.name, "rows": file.rows, "bytes": file.size_bytes} for file in report.files]
    await acreate_table_artifact(key="reports", table=table, description=f"Published in {report.folder}")
    return report
