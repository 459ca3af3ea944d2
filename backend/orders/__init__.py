"""Orders: issues, money, outcomes, the clerk's check on the header, recovery."""
