"""What is remembered of a delivery when its row is gone; indexes of the inbox that hold only what is looked for."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

DIGEST = sa.LargeBinary(16).with_variant(postgresql.UUID(), "postgresql")


def upgrade() -> None:
    op.create_table(
        "pruned_delivery",
        sa.Column("digest", DIGEST, nullable=False),
        sa.Column("inbox_id", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_pruned_delivery")),
        sqlite_with_rowid=False,
    )
    # A row is written three times, most of them before it has an order, hardly ever with a link that it waits for.
    for column in ("order_id", "waits_for"):
        known = sa.text(f"{column} IS NOT NULL")
        op.drop_index(op.f(f"ix_inbox_{column}"), "inbox")
        op.create_index(
            op.f(f"ix_inbox_{column}"), "inbox", [column], unique=False, sqlite_where=known, postgresql_where=known
        )
