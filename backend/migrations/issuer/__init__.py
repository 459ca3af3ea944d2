"""The schema of the issuer's database, revision by revision."""
