"""The loop of the SDK's documentation: receive, publish, delete, one message after another."""

import os
import re
import time
from urllib.parse import urlsplit

from azure.storage.queue import QueueClient
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

from azure_queue.service import API_VERSION, PAGE_SIZE

_PILLOW = re.compile(r'"pillow":"([^"]*)"')


def main() -> None:
    """Move messages until the process is killed."""
    queue = QueueClient.from_connection_string(
        os.environ["AZURE_STORAGE_CONNECTION_STRING"],
        os.environ["QUEUE_NAME"],
        api_version=API_VERSION,
    )
    broker = urlsplit(os.environ["MQTT_URL"])
    client = Client(CallbackAPIVersion.VERSION2)
    client.username_pw_set(broker.username, broker.password)
    client.connect(broker.hostname or "", broker.port or 1883)
    client.loop_start()
    print("ready", flush=True)
    while True:
        found = False
        for message in queue.receive_messages(messages_per_page=PAGE_SIZE, visibility_timeout=30):
            found = True
            pillow = _PILLOW.search(message.content)
            topic = f"{os.environ['TOPIC_PREFIX']}/{pillow[1] if pillow else '?'}/state"
            client.publish(topic, message.content, qos=1, retain=True).wait_for_publish()
            queue.delete_message(message)
        if not found:
            time.sleep(0.05)


if __name__ == "__main__":
    main()
