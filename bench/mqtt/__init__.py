"""What a message over MQTT costs: our session beside paho as its documentation drives it."""
