"""Stand-ins for the outside world between the two ends: the wire."""
