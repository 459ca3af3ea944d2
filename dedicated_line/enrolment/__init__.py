"""Who may use the line: its own CA, kiosks and their circuits."""
