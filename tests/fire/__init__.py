"""The fire tests: numbered messages through a system whose every part fails, and none is lost.

Not part of the default run: `scripts/test -m fire`.

FIRE_SEED decides what is put on the queue and what fails, FIRE_MESSAGES how many messages there
are. Without a seed there is a new one each time; it is printed with what happened.
One seed is the same messages and the same plan of failures; on which message a failure falls is
also a matter of the machine's speed.
"""
