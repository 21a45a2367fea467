"""How the store came to be as it is, a revision at a time (Alembic)."""
