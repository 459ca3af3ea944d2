"""The centre's end of the line: mutual TLS ends here, and only a kiosk on its circuit gets by."""
