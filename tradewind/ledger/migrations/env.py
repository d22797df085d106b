"""Runs migrations on the connection that `tradewind.ledger.versions` gives, inside its transaction."""

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
