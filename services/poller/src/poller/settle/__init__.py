"""How a message is settled: completed, dead-lettered or abandoned; and the health of the queue."""
