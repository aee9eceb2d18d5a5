"""Schema changes of the core, by Alembic; plugins bring environments of their own."""
