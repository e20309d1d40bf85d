"""The protocols of AsyncAPI: those that the standard names, and those that are spoken here."""

from __future__ import annotations

from typing import Final

# Those that a task may name. What the servers of a document speak may have other names.
NAMES: Final = (
    *("amqp", "amqp1", "anypointmq", "googlepubsub", "http", "ibmmq", "jms", "kafka", "mercure", "mqtt"),
    *("mqtt5", "nats", "pulsar", "redis", "sns", "solace", "sqs", "stomp", "ws"),
)
# The names of protocols in documents: ours, and whether it is spoken over TLS.
SPOKEN: Final = {
    "http": ("http", False),
    "https": ("http", True),
    "ws": ("ws", False),
    "wss": ("ws", True),
    "mqtt": ("mqtt", False),
    "mqtt5": ("mqtt", False),
    "mqtts": ("mqtt", True),
    "secure-mqtt": ("mqtt", True),
    "amqp": ("amqp", False),
    "amqps": ("amqp", True),
    "nats": ("nats", False),
    "natss": ("nats", True),
    "tls": ("nats", True),
    "kafka": ("kafka", False),
    "kafka-secure": ("kafka", True),
}
