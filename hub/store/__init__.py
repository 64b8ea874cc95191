"""SQLModel tables, migrations, queries."""
