"""Fakes of the queue and the broker, with the real interfaces and readable state."""
