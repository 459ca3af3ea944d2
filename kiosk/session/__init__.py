"""The journey of one resident: its state machine, what drives it, and the clerk's checks."""
