"""The migrations: every change of the tables, in order, each in its own transaction."""
