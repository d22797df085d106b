"""Runs migrations on the connection that `tradewind.ledger.versions` gives, inside its transaction.

A new one is drafted on a migrated database with
`alembic.command.revision(versions.configuration(versions.LEDGER, conn), autogenerate=True)`, and holds on both kinds:
tests/integration/ledger/test_migrations.py compares it with the tables.
"""

from alembic import context

from tradewind.ledger import tables, versions

conn = context.config.attributes["connection"]
part = context.config.attributes["part"]

context.configure(
    connection=conn,
    target_metadata=tables.metadata if part is versions.LEDGER else tables.key_metadata,
    version_table=part.version_table,
    render_as_batch=conn.dialect.name == "sqlite",
    transactional_ddl=False,
)
context.run_migrations()
