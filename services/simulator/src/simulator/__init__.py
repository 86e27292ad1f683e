"""Fake pillows: a believable day of states, the same for the same seed on every machine.

`scenario` tells what happens to a pillow, `reports` what the pillow says of it, `fleet` what
several say together; `pacing` when each is due, `targets` where it goes, `delivery` joins the two.
"""
