"""MQTT to webhooks: what happens to pillows and their queue is posted to an operator's addresses.

rules     what the operator wants to be told, and where
detect    which events there are: deciders, without a clock
outbox    events on disk, from the decision to the delivery
deliver   requests: their bodies, signatures, retries, and the HTTP client
commands  the command line
"""
