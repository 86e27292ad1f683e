"""How many clients the gateway has, said on MQTT: pollers poll often while somebody looks."""
