"""Alembic's environment, and one module for each version of the schema."""
