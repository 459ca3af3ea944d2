"""The first schema of the centre's database."""

import sqlalchemy as sa
from alembic import op

from backend.database import Instant

revision = "c0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "access_record",
        sa.Column("session", sa.String(length=32), nullable=False),
        sa.Column(
            "body", sa.String(length=64), nullable=False, comment="SHA-256 of the holder's message"
        ),
        sa.Column("kiosk", sa.String(length=7), nullable=False),
        sa.Column("generation", sa.String(length=20), nullable=False),
        sa.Column("serial", sa.String(length=40), nullable=False, comment="hexadecimal"),
        sa.Column("purpose", sa.String(length=40), nullable=False),
        sa.Column("legal_basis", sa.String(length=80), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("session", name=op.f("pk_access_record")),
    )
    with op.batch_alter_table("access_record", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_access_record_at"), ["at"], unique=False)

    op.create_table(
        "integrity_alarm",
        sa.Column("sequence", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("finding", sa.String(length=20), nullable=False),
        sa.Column("order", sa.String(length=32), nullable=True),
        sa.Column("kiosk", sa.String(length=7), nullable=True),
        sa.Column("municipality", sa.String(length=6), nullable=True),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("acknowledged_at", Instant(), nullable=True),
        sa.Column("acknowledged_by", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("sequence", name=op.f("pk_integrity_alarm")),
    )
    op.create_table(
        "kiosk",
        sa.Column("id", sa.String(length=7), nullable=False),
        sa.Column("circuit", sa.String(length=15), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("device_key", sa.LargeBinary(), nullable=False, comment="P-256 point, 65 bytes"),
        sa.Column("in_service", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_kiosk")),
        sa.UniqueConstraint("circuit", name=op.f("uq_kiosk_circuit")),
    )
    op.create_table(
        "municipality",
        sa.Column("code", sa.String(length=6), nullable=False),
        sa.Column("prefecture", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False, comment="empty for a prefecture"),
        sa.Column("kana", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_municipality")),
    )
    op.create_table(
        "order",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("session", sa.String(length=32), nullable=False),
        sa.Column("kiosk", sa.String(length=7), nullable=False),
        sa.Column("municipality", sa.String(length=6), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("copies", sa.Integer(), nullable=False),
        sa.Column("members", sa.Integer(), nullable=False),
        sa.Column("fee", sa.Integer(), nullable=False, comment="yen a copy"),
        sa.Column(
            "signing_key", sa.LargeBinary(), nullable=False, comment="of the session; P-256 point"
        ),
        sa.Column(
            "replaces", sa.String(length=40), nullable=True, comment="the number it reprints"
        ),
        sa.Column("header", sa.LargeBinary(), nullable=True, comment="COSE_Sign1; kept for ever"),
        sa.Column("record_version", sa.Integer(), nullable=True),
        sa.Column(
            "ciphertext", sa.LargeBinary(), nullable=True, comment="until the print window ends"
        ),
        sa.Column("fence", sa.Integer(), nullable=False),
        sa.Column("print_deadline", Instant(), nullable=True, comment="real time"),
        sa.Column("reason", sa.String(length=60), nullable=True),
        sa.Column("taken", sa.Integer(), nullable=False, comment="yen, by the coin unit's word"),
        sa.Column("returned", sa.Integer(), nullable=False),
        sa.Column("owed", sa.Integer(), nullable=False),
        sa.Column("receipt", sa.Text(), nullable=True),
        sa.Column("created_at", Instant(), nullable=False, comment="real time"),
        sa.Column("updated_at", Instant(), nullable=False, comment="real time"),
        sa.CheckConstraint(
            "fee >= 0 AND copies >= 1 AND members >= 1", name=op.f("ck_order_counts")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_order")),
        sa.UniqueConstraint("replaces", name=op.f("uq_order_replaces")),
        comment="who asked is known to nobody here: a session, a kiosk, a municipality",
    )
    with op.batch_alter_table("order", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_order_created_at"), ["created_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_order_session"), ["session"], unique=False)

    op.create_table(
        "registration",
        sa.Column("generation", sa.String(length=20), nullable=False),
        sa.Column("serial", sa.String(length=40), nullable=False, comment="hexadecimal"),
        sa.Column("since", Instant(), nullable=False),
        sa.Column("until", Instant(), nullable=True, comment="null: still so"),
        sa.Column("pseudonym", sa.String(length=64), nullable=False),
        sa.Column("municipality", sa.String(length=6), nullable=False),
        sa.CheckConstraint("until IS NULL OR until >= since", name=op.f("ck_registration_term")),
        sa.PrimaryKeyConstraint("generation", "serial", "since", name=op.f("pk_registration")),
        comment="no name and no address: to the centre a person is a card and a pseudonym",
    )
    with op.batch_alter_table("registration", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_registration_pseudonym"), ["pseudonym"], unique=False)

    op.create_table(
        "staff",
        sa.Column("login", sa.String(length=40), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=False),
        sa.Column("role", sa.String(length=20), nullable=False),
        sa.Column("municipality", sa.String(length=6), nullable=True),
        sa.Column("created_at", Instant(), nullable=False),
        sa.CheckConstraint(
            "(role = 'municipal') = (municipality IS NOT NULL)", name=op.f("ck_staff_municipality")
        ),
        sa.PrimaryKeyConstraint("login", name=op.f("pk_staff")),
    )
    op.create_table(
        "staff_attempt",
        sa.Column("sequence", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("login_digest", sa.String(length=64), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("sequence", name=op.f("pk_staff_attempt")),
        comment="log-ins tried and not (yet) succeeded; what was typed may be a password: digest only",  # noqa: E501 - one sentence
    )
    with op.batch_alter_table("staff_attempt", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_staff_attempt_login_digest"), ["login_digest"], unique=False
        )

    op.create_table(
        "idempotency",
        sa.Column(
            "key", sa.String(length=64), nullable=False, comment="SHA-256 over kiosk and key"
        ),
        sa.Column("request", sa.String(length=10), nullable=False),
        sa.Column("order", sa.String(length=32), nullable=False),
        sa.Column(
            "body",
            sa.String(length=64),
            nullable=False,
            comment="HMAC of the body under the key itself",
        ),
        sa.Column(
            "refusal",
            sa.String(length=40),
            nullable=True,
            comment="what a release was refused with",
        ),
        sa.Column("at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(["order"], ["order.id"], name=op.f("fk_idempotency_order_order")),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_idempotency")),
        comment="kept for ever; the key itself is not, so that a body cannot be guessed from it",
    )
    op.create_table(
        "issue",
        sa.Column("order", sa.String(length=32), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("number", sa.String(length=40), nullable=True),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("money", sa.String(length=10), nullable=False),
        sa.Column("number_status", sa.String(length=10), nullable=False),
        sa.Column("price", sa.Integer(), nullable=False),
        sa.Column("loss", sa.Integer(), nullable=False),
        sa.Column("decided", sa.Integer(), nullable=False, comment="1: by two persons"),
        sa.CheckConstraint(
            "(state = 'intended' AND money IN ('none') AND number_status IN ('pending')) OR (state = 'sealed' AND money IN ('due', 'none') AND number_status IN ('pending')) OR (state = 'released' AND money IN ('none', 'taken') AND number_status IN ('pending')) OR (state = 'printed' AND money IN ('kept', 'none') AND number_status IN ('recalled', 'valid')) OR (state = 'spoiled' AND money IN ('none', 'owed', 'refunded', 'repaid') AND number_status IN ('void')) OR (state = 'unknown' AND money IN ('none', 'owed', 'refunded', 'repaid') AND number_status IN ('suspended')) OR (state = 'abandoned' AND money IN ('due', 'none', 'owed', 'refunded', 'repaid') AND number_status IN ('void')) OR (state = 'refused' AND money IN ('due', 'none') AND number_status IN ('void'))",  # noqa: E501 - one sentence
            name=op.f("ck_issue_pairs"),
        ),
        sa.CheckConstraint(
            "number IS NOT NULL OR state IN ('abandoned', 'intended', 'refused')",
            name=op.f("ck_issue_number"),
        ),
        sa.CheckConstraint("price > 0 OR money = 'none'", name=op.f("ck_issue_free")),
        sa.CheckConstraint(
            "price >= 0 AND loss >= 0 AND decided IN (0, 1)", name=op.f("ck_issue_amounts")
        ),
        sa.ForeignKeyConstraint(["order"], ["order.id"], name=op.f("fk_issue_order_order")),
        sa.PrimaryKeyConstraint("order", "place", name=op.f("pk_issue")),
        sa.UniqueConstraint("number", name=op.f("uq_issue_number")),
    )
    with op.batch_alter_table("issue", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_issue_state"), ["state"], unique=False)

    op.create_table(
        "outcome",
        sa.Column("sequence", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("order", sa.String(length=32), nullable=False),
        sa.Column("body_digest", sa.String(length=64), nullable=False),
        sa.Column(
            "body", sa.LargeBinary(), nullable=False, comment="the exact bytes that were signed"
        ),
        sa.Column("signature", sa.LargeBinary(), nullable=False),
        sa.Column("findings", sa.Text(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(["order"], ["order.id"], name=op.f("fk_outcome_order_order")),
        sa.PrimaryKeyConstraint("sequence", name=op.f("pk_outcome")),
        comment="evidence: numbers, states and money; never a text of a page",
    )
    with op.batch_alter_table("outcome", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_outcome_order_body_digest"), ["order", "body_digest"], unique=True
        )

    op.create_table(
        "participation_change",
        sa.Column("sequence", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("municipality", sa.String(length=6), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("open", sa.Boolean(), nullable=False),
        sa.Column("effective_from", Instant(), nullable=False),
        sa.Column("fee", sa.Integer(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("comment", sa.Text(), nullable=False),
        sa.Column("made_at", Instant(), nullable=True, comment="null: loaded, and nobody knows"),
        sa.CheckConstraint("fee >= 0", name=op.f("ck_participation_change_fee")),
        sa.ForeignKeyConstraint(
            ["municipality"],
            ["municipality.code"],
            name=op.f("fk_participation_change_municipality_municipality"),
        ),
        sa.PrimaryKeyConstraint("sequence", name=op.f("pk_participation_change")),
        comment="only ever added to",
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("participation_change", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_participation_change_municipality_kind"),
            ["municipality", "kind"],
            unique=False,
        )

    op.create_table(
        "participation_lock",
        sa.Column("municipality", sa.String(length=6), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(
            ["municipality"],
            ["municipality.code"],
            name=op.f("fk_participation_lock_municipality_municipality"),
        ),
        sa.PrimaryKeyConstraint("municipality", "kind", name=op.f("pk_participation_lock")),
        comment="the row that stop and release both lock",
    )


def downgrade() -> None:
    """Take back."""
    op.drop_table("participation_lock")
    with op.batch_alter_table("participation_change", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_participation_change_municipality_kind"))

    op.drop_table("participation_change")
    with op.batch_alter_table("outcome", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_outcome_order_body_digest"))

    op.drop_table("outcome")
    with op.batch_alter_table("issue", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_issue_state"))

    op.drop_table("issue")
    op.drop_table("idempotency")
    with op.batch_alter_table("staff_attempt", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_staff_attempt_login_digest"))

    op.drop_table("staff_attempt")
    op.drop_table("staff")
    with op.batch_alter_table("registration", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_registration_pseudonym"))

    op.drop_table("registration")
    with op.batch_alter_table("order", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_order_session"))
        batch_op.drop_index(batch_op.f("ix_order_created_at"))

    op.drop_table("order")
    op.drop_table("municipality")
    op.drop_table("kiosk")
    op.drop_table("integrity_alarm")
    with op.batch_alter_table("access_record", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_access_record_at"))

    op.drop_table("access_record")
