"""Validate the books: every suite over its frame, in one checkpoint.

Importing this module is quick; Great Expectations is imported when `validate` is called, which costs five seconds once.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from expectations.verdict import Verdict

if TYPE_CHECKING:
    import pandas as pd

SITE = "tradewind"
DOCS = "data-docs"


def validate(
    frames: Mapping[str, pd.DataFrame], *, state_dir: Path, run_name: str, taken_at: datetime, emit: bool = True
) -> Verdict:
    """Check the frames `orders`, `payments`, `stock` and `books` (see `frames.read_frames`).

    Builds Data Docs into `state_dir/data-docs`, replacing those of the run before; emits `tradewind.validation.failed`
    when something does not hold, unless `emit` is off.
    """
    from expectations.results import checks_of

    with tempfile.TemporaryDirectory(prefix="tradewind-validation-") as folder:
        docs = Path(folder) / DOCS
        result = _checkpoint(frames, Path(folder), docs, run_name, emit).run()
        _publish(docs, state_dir / DOCS)
    return Verdict(
        run_name=run_name, taken_at=taken_at, checks=tuple(checks_of(result)), docs=state_dir / DOCS / "index.html"
    )


def _checkpoint(frames: Mapping[str, pd.DataFrame], folder: Path, docs: Path, run_name: str, emit: bool) -> Any:
    from expectations import books, orders, payments, stock
    from expectations.actions import EmitFailure
    from expectations.quiet import UpdateDataDocsAction, gx, quiet_context
    from expectations.results import RESULT_FORMAT

    context = quiet_context(docs, SITE)
    source = context.data_sources.add_pandas("ledger")
    definitions = []
    for suite in (orders.suite(), payments.suite(), stock.suite(), books.suite()):
        # A checkpoint hands one data frame to all of its suites; files give each suite its own.
        path = folder / f"{suite.name}.parquet"
        frames[suite.name].to_parquet(path, index=False)
        batch = source.add_parquet_asset(suite.name, path=path).add_batch_definition("all")
        definition = gx.ValidationDefinition(name=suite.name, data=batch, suite=context.suites.add(suite))
        definitions.append(context.validation_definitions.add(definition))
    actions: list[Any] = [UpdateDataDocsAction(name="docs", site_names=[SITE])]
    if emit:
        actions.append(EmitFailure(name="emit", run_name=run_name))
    checkpoint = gx.Checkpoint(
        name="books", validation_definitions=definitions, actions=actions, result_format=RESULT_FORMAT
    )
    return context.checkpoints.add(checkpoint)


def _publish(docs: Path, place: Path) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    fresh = place.with_name(f".{place.name}.new")
    shutil.rmtree(fresh, ignore_errors=True)
    shutil.copytree(docs, fresh)
    shutil.rmtree(place, ignore_errors=True)
    fresh.rename(place)
