"""The stream: reports encoded as messages, with faults, and the decision when each is sent."""
