"""The first tables."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables; they are not taken from history.schema, which later versions change."""
    op.create_table(
        "pillows",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("name", sa.String(63), nullable=False, unique=True),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "states",
        sa.Column("pillow_id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("at_us", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("payload", sa.Text, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "episodes",
        sa.Column("pillow_id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("began_us", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("ended_us", sa.BigInteger, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("reports", sa.Integer, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "listened",
        sa.Column("began_us", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("recorder", sa.String(63), primary_key=True),
        sa.Column("ended_us", sa.BigInteger, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "sizes",
        sa.Column("slot", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("states", sa.BigInteger, nullable=False),
        sa.Column("bytes", sa.BigInteger, nullable=False),
    )


def downgrade() -> None:
    """Drop all tables."""
    for table in ("sizes", "listened", "episodes", "states", "pillows"):
        op.drop_table(table)
