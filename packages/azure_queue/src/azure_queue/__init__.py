"""Azure Queue Storage for the poller, the simulator, the bench and the tests.

It holds all that is known of the service: its settings, API version, errors and requests.
"""
