"""Alembic's environment of the issuer's database; the connection is handed in by `web.schema`."""

from alembic import context

from backend.migrations.metadata import issuer_tables, render_item

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=issuer_tables(),
    render_as_batch=True,
    render_item=render_item,
)
with context.begin_transaction():
    context.run_migrations()
