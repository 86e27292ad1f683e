"""Conformance kit: golden sessions that a gateway or a client of any make is run against.

It imports nothing else of Pillowcast: what it knows are the published documents and the sessions.
"""
