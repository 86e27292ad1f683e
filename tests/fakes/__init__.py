"""Hand-written stand-ins with the real interfaces and readable state."""
