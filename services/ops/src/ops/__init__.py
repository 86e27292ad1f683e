"""The operator's command, `pillowcast`.

It reads what the services say on their own ports, the broker and the queues, and uses the services'
own functions for what they do already. No service imports it.
"""
