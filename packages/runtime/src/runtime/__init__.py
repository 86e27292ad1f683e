"""What every service needs and none owns: settings, logs, lifecycle, health, the MQTT session.

Nothing here knows of pillows, queues or browsers.
"""
