"""Stand-ins for the world outside the backend; loud when they run, refused in production."""
