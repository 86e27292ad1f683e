"""What the ops port tells operators: clients, pillows, limits, and a page of all of it."""
