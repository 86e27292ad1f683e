"""What every service needs: settings, logs, lifecycle, health, HTTP server, MQTT session.

Nothing here depends on pillows or browsers.
"""
