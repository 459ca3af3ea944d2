"""Stand-ins for the world around a kiosk; loud when they run, refused in production."""
