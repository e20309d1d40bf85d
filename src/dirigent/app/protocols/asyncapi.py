"""The performer of AsyncAPI, and which class of a driver's module speaks a protocol."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Final

from dirigent.app.planning import Parts
from dirigent.app.stacks import Surrounding
from dirigent.app.web import client, credentials
from dirigent.jq import LANGUAGE
from dirigent.ports import Performer
from dirigent.tasks.asyncapi.call import AsyncApiPerformer
from dirigent.tasks.asyncapi.site import Driver
from dirigent.tasks.asyncapi.taking import Judge
from dirigent.tasks.openapi.document import within

CLASSES: Final = {
    "http": "HttpDriver",
    "ws": "WebSocketDriver",
    "mqtt": "MqttDriver",
    "nats": "NatsDriver",
    "amqp": "AmqpDriver",
    "kafka": "KafkaDriver",
}


def asyncapi(around: Surrounding, parts: Parts, module_of: Callable[[str], ModuleType]) -> Performer:
    """Build the performer of `call: asyncapi`."""
    read = within(str(around.folder.absolute()))
    judge = Judge(LANGUAGE, parts.oracle)
    return AsyncApiPerformer(
        client(around, parts), credentials(around, parts), read, judge, drivers(module_of)
    )


def drivers(module_of: Callable[[str], ModuleType]) -> Callable[[str], Driver]:
    """Return what gives the driver of a protocol, made once."""
    made: dict[str, Driver] = {}

    def driver(protocol: str) -> Driver:
        if protocol not in made:
            make: Callable[[], Driver] = getattr(module_of(protocol), CLASSES[protocol])
            made[protocol] = make()
        return made[protocol]

    return driver
