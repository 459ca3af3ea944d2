"""The kiosk's end of the line."""
