"""The first schema of the issuer's database."""

import sqlalchemy as sa
from alembic import op

from backend.database import Instant

revision = "i0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "municipality",
        sa.Column("code", sa.String(length=6), nullable=False),
        sa.Column("prefecture", sa.String(length=120), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("mayor_title", sa.String(length=120), nullable=False),
        sa.Column("mayor_name", sa.String(length=120), nullable=False),
        sa.Column("register_as_of", Instant(), nullable=False),
        sa.Column("stale_after_seconds", sa.Integer(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("data_key", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_municipality")),
        comment="Whose residents are hosted here; data_key is wrapped by the master key",
    )
    op.create_table(
        "card_link",
        sa.Column("municipality", sa.String(length=6), nullable=False),
        sa.Column("generation", sa.String(length=32), nullable=False),
        sa.Column("serial", sa.String(length=50), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["municipality"],
            ["municipality.code"],
            name=op.f("fk_card_link_municipality_municipality"),
        ),
        sa.PrimaryKeyConstraint("municipality", "generation", "serial", name=op.f("pk_card_link")),
        comment="Which resident a user certificate belongs to; the resident is sealed",
    )
    op.create_table(
        "composition",
        sa.Column("order_id", sa.String(length=32), nullable=False),
        sa.Column("municipality", sa.String(length=6), nullable=False),
        sa.Column("body_digest", sa.String(length=64), nullable=False),
        sa.Column("household", sa.String(length=64), nullable=False),
        sa.Column("household_version", sa.Integer(), nullable=False),
        sa.Column("persons", sa.Text(), nullable=False),
        sa.Column("header", sa.LargeBinary(), nullable=False),
        sa.Column("ciphertext", sa.LargeBinary(), nullable=True),
        sa.Column("sealed_at", Instant(), nullable=False),
        sa.Column("kept_until", Instant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["municipality"],
            ["municipality.code"],
            name=op.f("fk_composition_municipality_municipality"),
        ),
        sa.PrimaryKeyConstraint("order_id", name=op.f("pk_composition")),
        comment="One order, sealed once; body_digest is keyed, ciphertext goes after kept_until",
    )
    with op.batch_alter_table("composition", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_composition_kept_until"), ["kept_until"], unique=False)

    op.create_table(
        "household",
        sa.Column("municipality", sa.String(length=6), nullable=False),
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["municipality"],
            ["municipality.code"],
            name=op.f("fk_household_municipality_municipality"),
        ),
        sa.PrimaryKeyConstraint("municipality", "id", name=op.f("pk_household")),
    )
    op.create_table(
        "refusal",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("municipality", sa.String(length=6), nullable=False),
        sa.Column("order_id", sa.String(length=32), nullable=True),
        sa.Column("body_digest", sa.String(length=64), nullable=True),
        sa.Column("public", sa.String(length=40), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["municipality"],
            ["municipality.code"],
            name=op.f("fk_refusal_municipality_municipality"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_refusal")),
        sa.UniqueConstraint("order_id", name=op.f("uq_refusal_order_id")),
        comment="Why somebody was refused, for the municipality's eyes only: the reason is sealed",
    )
    op.create_table(
        "issue",
        sa.Column("number", sa.String(length=24), nullable=False),
        sa.Column("order_id", sa.String(length=32), nullable=False),
        sa.Column("copy", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["order_id"], ["composition.order_id"], name=op.f("fk_issue_order_id_composition")
        ),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_issue")),
        sa.UniqueConstraint("order_id", "copy", name=op.f("uq_issue_order_id_copy")),
        comment="Every issue number ever given",
    )
    op.create_table(
        "resident",
        sa.Column("municipality", sa.String(length=6), nullable=False),
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("household", sa.String(length=64), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["municipality", "household"],
            ["household.municipality", "household.id"],
            name=op.f("fk_resident_municipality_household_household"),
        ),
        sa.PrimaryKeyConstraint("municipality", "id", name=op.f("pk_resident")),
    )
    with op.batch_alter_table("resident", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_resident_municipality_household"),
            ["municipality", "household"],
            unique=False,
        )


def downgrade() -> None:
    """Take back."""
    with op.batch_alter_table("resident", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_resident_municipality_household"))

    op.drop_table("resident")
    op.drop_table("issue")
    op.drop_table("refusal")
    op.drop_table("household")
    with op.batch_alter_table("composition", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_composition_kept_until"))

    op.drop_table("composition")
    op.drop_table("card_link")
    op.drop_table("municipality")
