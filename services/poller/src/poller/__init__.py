"""Azure Storage Queue to MQTT: every message ends published, superseded or dead-lettered.

Imports go one way: a line imports only from the lines above it (tests/unit/test_architecture.py).

    settings, metrics, queues          settings; counters; the ports of the queues
    background_tasks                   tasks that end together
    in_flight                          the window of received messages, which the folders share
    azure                              the ports of `queues` on Azure Storage
    settle                             completes, dead-letters and abandons messages
    publish                            writes states to the broker, in order for each pillow
    consume                            receives pages and decides what happens to each message
    worker, composition, service       start and stop the parts; put them together; the process
    commands                           the dead-letter tool
"""
