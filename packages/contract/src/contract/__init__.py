"""What crosses a process boundary: states, queue messages, MQTT topics, frames.

Nothing in this package does I/O, reads a clock or keeps state between calls.
The poller, the gateway and the simulator import it; it imports none of them.
`README.md` beside this package describes the same for readers of other languages.
"""
