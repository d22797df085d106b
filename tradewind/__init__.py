"""tradewind keeps a merchant's systems in step. The core: it knows no Prefect and no Great Expectations."""

__version__ = "0.1.0"
