"""The schema of the centre's database, revision by revision."""
