"""The kiosk API: for kiosks alone, on a Unix socket behind the line's centre end."""
