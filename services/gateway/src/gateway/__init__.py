"""The gateway: from MQTT to WebSockets, event streams and HTTP."""
