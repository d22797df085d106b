"""What the ledger's tables belong to, and how their indexes and keys are named."""

from __future__ import annotations

from sqlalchemy import MetaData

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}

metadata = MetaData(naming_convention=NAMING)

key_metadata = MetaData(naming_convention=NAMING)
"""The key store, in a database of its own."""
