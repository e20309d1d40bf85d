"""What a provider says of the protocol itself: the description that gRPC's reflection serves."""

from google.protobuf.descriptor_pb2 import FieldDescriptorProto, FileDescriptorProto
from google.protobuf.empty_pb2 import Empty
from google.protobuf.unknown_fields import UnknownFieldSet

PATH = "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo"
FILE_CONTAINING_SYMBOL, FILE_DESCRIPTOR_RESPONSE, FILES = 4, 4, 1
NAMES = {
    FieldDescriptorProto.TYPE_BOOL: "bool",
    FieldDescriptorProto.TYPE_STRING: "string",
    FieldDescriptorProto.TYPE_BYTES: "bytes",
    FieldDescriptorProto.TYPE_INT64: "int64",
    FieldDescriptorProto.TYPE_INT32: "int32",
    # An enumeration travels as a number.
    FieldDescriptorProto.TYPE_ENUM: "int32",
}


async def described(connection):
    """Return the file that defines the service of providers, as the provider was built with it."""
    symbol = f"tfplugin{connection.version}.Provider".encode()
    question = bytes([FILE_CONTAINING_SYMBOL << 3 | 2, len(symbol)]) + symbol
    answers = connection._channel.stream_stream(PATH)(iter([question]))
    answer = await answers.read()
    inner = next(each for each in fields(answer) if each.field_number == FILE_DESCRIPTOR_RESPONSE)
    contents = [each.data for each in fields(inner.data) if each.field_number == FILES]
    files = [FileDescriptorProto.FromString(each) for each in contents]
    return next(file for file in files if file.service and file.package.startswith("tfplugin"))


def fields(content):
    return UnknownFieldSet(Empty.FromString(content))


def messages_of(file):
    """Return every message of a file by its whole name; enumerations are none."""
    found = {}
    left = [(f".{file.package}.{each.name}", each) for each in file.message_type]
    while left:
        name, message = left.pop()
        found[name] = message
        left += [(f"{name}.{each.name}", each) for each in message.nested_type]
    return found


def compared(ours, name, theirs, table, seen):
    """Hold a message of the table against theirs, and all that lies in it; return how many fields agreed.

    What a release of the protocol does not have yet is no difference; what it has is the same.
    """
    if (ours, name) in seen:
        return 0
    seen.add((ours, name))
    count, known = 0, {each.number: each for each in theirs[name].field}
    for mine in table[ours]:
        their = known.get(mine.number)
        if their is None:
            continue
        assert mine.name == their.name, f"{ours}.{mine.name} is {their.name}"
        repeats = their.label == FieldDescriptorProto.LABEL_REPEATED
        assert (mine.mark in {"*", "{}"}) is repeats, f"{ours}.{mine.name}"
        inner = their.type_name
        if mine.mark == "{}":
            value = theirs[inner].field[1]
            inner, kind = value.type_name, value.type
        else:
            kind = their.type
        if kind in NAMES:
            assert mine.kind == NAMES[kind], f"{ours}.{mine.name} is {NAMES[kind]}"
        else:
            count += compared(mine.kind, inner, theirs, table, seen)
        count += 1
    return count
