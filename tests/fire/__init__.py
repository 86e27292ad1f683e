"""The fire tests: numbered messages pass a system every part of which fails, and none is lost.

They are not part of the default run: `scripts/test -m fire`.

FIRE_SEED determines the messages and the plan of failures, FIRE_MESSAGES the number of messages.
Without FIRE_SEED a new seed is drawn; it is printed with the results.
The message at which a failure happens also depends on the speed of the machine.

    messages    the messages, planned by the seed
    producer    puts them on the queue
    faults      the faults of the two proxies, queue_proxy and mqtt_proxy
    recorder    records what the broker publishes
    audit       compares what was put with what was recorded
    world       the acts: kills, starts and stops
    system      starts and ends all of it
"""
