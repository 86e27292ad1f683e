"""Flask-SocketIO on gevent, as in its documentation: emit to all clients.

flask_socketio_server.py PORT MQTT_PORT
"""

# mypy: ignore-errors
# ruff: noqa: E402

from gevent import monkey

monkey.patch_all()

import json
import sys

import flask
import flask_socketio
import paho.mqtt.client as mqtt

app = flask.Flask(__name__)
sockets = flask_socketio.SocketIO(app, async_mode="gevent", cors_allowed_origins="*")


def received(_client, _userdata, message):
    """Send a state to all browsers."""
    sockets.emit("state", json.loads(message.payload))


client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2)
client.on_message = received
client.on_connect = lambda one, *_: one.subscribe("pillow/+/state")
client.connect("127.0.0.1", int(sys.argv[2]))
client.loop_start()
sockets.run(app, host="127.0.0.1", port=int(sys.argv[1]), log_output=False)
