"""Azure Storage Queue to MQTT: every message ends published, superseded or dead-lettered."""
