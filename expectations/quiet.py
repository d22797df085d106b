"""Great Expectations, imported without its warnings, analytics and progress bars.

The import costs five seconds and more: whoever needs it imports this module, or one of the suites, inside a function.
"""

import os
import warnings
from pathlib import Path

os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")

with warnings.catch_warnings():
    # A dependency of Great Expectations imports deprecated modules of the standard library.
    warnings.simplefilter("ignore")
    import great_expectations as gx
    import great_expectations.expectations as gxe
    from great_expectations.checkpoint import UpdateDataDocsAction, ValidationAction
    from great_expectations.expectations.row_conditions import Column

__all__ = ["Column", "UpdateDataDocsAction", "ValidationAction", "gx", "gxe", "quiet_context"]


def quiet_context(docs_dir: Path, site: str) -> gx.data_context.EphemeralDataContext:
    """A context that lives with the process and renders Data Docs into `docs_dir`."""
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}
    context.add_data_docs_site(
        site_name=site,
        site_config={
            "class_name": "SiteBuilder",
            "store_backend": {"class_name": "TupleFilesystemStoreBackend", "base_directory": str(docs_dir)},
            "site_index_builder": {"class_name": "DefaultSiteIndexBuilder"},
        },
    )
    return context
