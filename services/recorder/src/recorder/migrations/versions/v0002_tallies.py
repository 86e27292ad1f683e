"""Tallies of quarters. No row changes: the recorder makes those of what is there later."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the tables, and until when they were looked after for each pillow."""
    op.create_table(
        "tallies",
        sa.Column("pillow_id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("began_us", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("state", sa.String(16), primary_key=True),
        sa.Column("episodes", sa.BigInteger, nullable=False),
        sa.Column("spent_us", sa.BigInteger, nullable=False),
        sa.Column("longest_us", sa.BigInteger, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "tallied_days",
        sa.Column("pillow_id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("began_us", sa.BigInteger, primary_key=True, autoincrement=False),
        sqlite_with_rowid=False,
    )
    op.create_index("tallied_days_began_us", "tallied_days", ["began_us"])
    op.add_column("pillows", sa.Column("tallied_until_us", sa.BigInteger))


def downgrade() -> None:
    """Drop them."""
    op.drop_column("pillows", "tallied_until_us")
    op.drop_table("tallied_days")
    op.drop_table("tallies")
