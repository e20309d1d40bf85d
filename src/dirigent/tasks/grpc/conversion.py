"""Between values and messages of protobuf, by protobuf's own JSON form.

In come the names of the proto file or those in camel case; out come those in camel case, with the fields
that have no presence at their defaults. 64-bit integers are texts, bytes are base64.
"""

from __future__ import annotations

from typing import cast

from google.protobuf import json_format
from google.protobuf.descriptor import Descriptor
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message import DecodeError, Message
from google.protobuf.message_factory import GetMessageClass

from dirigent.model.record import dataclass
from dirigent.model.values import Value
from dirigent.tasks.http.failure import broken, malformed

# An argument under this name holds the messages of a stream, unless the message has such a field.
MESSAGES = "messages"


@dataclass(frozen=True, slots=True)
class Conversion:
    """From and to one kind of message."""

    kind: Descriptor
    pool: DescriptorPool

    def message(self, value: Value) -> Message:
        """Return the message of a value, or raise `CallFailed` naming the field that does not fit."""
        message = GetMessageClass(self.kind)()
        try:
            json_format.ParseDict(value, message, descriptor_pool=self.pool)
        except (json_format.ParseError, TypeError, ValueError, RecursionError) as error:
            raise malformed(f"the arguments are no `{self.kind.full_name}`: {error}") from None
        return message

    def messages(self, arguments: Value) -> list[Message]:
        """Return the messages of a stream: of a list, of the member `messages`, or one."""
        listed = arguments
        if isinstance(arguments, dict) and list(arguments) == [MESSAGES]:
            listed = arguments if MESSAGES in self.kind.fields_by_name else arguments[MESSAGES]
        return [self.message(each) for each in (listed if isinstance(listed, list) else [listed])]

    def parsed(self, content: bytes) -> Message:
        """Return the message in some bytes, or raise `CallFailed`."""
        try:
            return GetMessageClass(self.kind).FromString(content)
        except DecodeError:
            raise broken(f"the server sent what is no `{self.kind.full_name}`") from None

    def value(self, message: Message) -> Value:
        """Return a message as a value, or raise `CallFailed` when it has none."""
        try:
            shown = json_format.MessageToDict(
                message, always_print_fields_with_no_presence=True, descriptor_pool=self.pool
            )
        except (json_format.SerializeToJsonError, TypeError, ValueError, RecursionError) as error:
            raise broken(f"the server sent a `{self.kind.full_name}` without a JSON form: {error}") from None
        return cast("Value", shown)
