"""Alembic's environments: one for the centre's database, one for the issuing server's."""
