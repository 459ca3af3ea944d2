"""What is open, when, and for what fee: participation of municipalities, a fact over time."""
