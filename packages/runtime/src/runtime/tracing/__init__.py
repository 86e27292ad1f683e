"""Traces: spans of OpenTelemetry, where its packages are installed and something asks for them.

`settings` and `start` need no OpenTelemetry; the other modules are imported when traces are on.
"""
