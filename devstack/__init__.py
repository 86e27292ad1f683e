"""The whole system on one machine without Docker: broker, queue and the three services.

`python -m devstack` runs it for a person (scripts/dev). The end-to-end tests use the same parts:
together as `devstack.stack.Stack`, or alone as `devstack.broker.Broker` and
`devstack.azurite.Azurite`. It is not part of any distribution.
"""
