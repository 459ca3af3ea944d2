"""What lies between kiosk and centre: the contract, both ends, and a simulated wire."""
