"""The seal on paper: a QR code is drawn, read back and verified."""
