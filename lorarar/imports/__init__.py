"""Pictures of any program as a collection of the database: they stay where they are, and become rows like ours."""
