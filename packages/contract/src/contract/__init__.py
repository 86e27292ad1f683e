"""What crosses a process boundary: states, queue messages, MQTT topics, frames.

This package does no I/O, reads no clock and keeps no state between calls.
The poller, the gateway and the simulator import it; it imports none of them.
`README.md` beside this package describes the same format for other languages.
"""
