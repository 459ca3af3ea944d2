"""A simulated ESC/POS printer on TCP, with paper, cover and power faults."""
