"""Azure Storage Queue to MQTT: every message ends published, superseded or dead-lettered.

Imports go one way: a line imports only from the lines above it.

    settings, metrics, tasks, queues   settings; counters; background tasks; the queue's port
    in_flight                          the window of received messages, which all folders share
    settle                             completes, dead-letters and abandons messages
    publish                            writes states to the broker, in order for each pillow
    consume                            receives pages and decides what happens to each message
    worker, composition                start, stop and put together the parts
    service, __main__                  the process

Beside them, `azure` implements the ports of `queues`, and `commands` is the dead-letter tool.
"""
