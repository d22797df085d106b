"""The stores' products and counts, read into the ledger's SKU table."""

from __future__ import annotations

from prefect import flow

from tasks.connections import storefronts
from tasks.orders import tagged
from tasks.stock import read_catalogue


@flow(name="catalog-sync", flow_run_name="catalogue of {store}")
async def catalog_sync(store: str = "every store") -> str:
    """Read what each store sells, page by page.

    Args:
        store: One connection, such as `shopify:north`, or `every store`.
    """
    stores = await storefronts() if store == "every store" else [store]
    synced = [await tagged(read_catalogue, one)(one) for one in stores]
    return "; ".join(f"{one.connection}: {one.items} items, {one.counted} first counts" for one in synced)
