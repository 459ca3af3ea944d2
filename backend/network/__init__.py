"""Which municipality keeps this person's register today, known only by card and pseudonym."""
