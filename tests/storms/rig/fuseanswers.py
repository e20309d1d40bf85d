"""What our file system answers to the kernel: one function for each question of the FUSE protocol."""

import errno
import stat
import struct

from storms.rig.fusetree import resized

ATTRIBUTES = struct.Struct("<6Q10I")
ENTRY = struct.Struct("<4QII")
OPENED = struct.Struct("<QII")
WRITE_BYTES = 1 << 17
VERSION = (7, 31)
DIRECT, KEEP = 1, 0


def init(tree, _, asked):
    readahead = struct.unpack_from("<4I", asked)[2]
    return struct.pack("<4I2H2I2H8I", *VERSION, readahead, 0, 12, 9, WRITE_BYTES, 1, 0, 0, *[0] * 8)


def lookup(tree, number, asked):
    return entry(tree, child(tree, number, name_in(asked)))


def child(tree, number, name):
    try:
        return tree.nodes[number].names[name]
    except KeyError:
        raise FileNotFoundError(errno.ENOENT, name) from None


def entry(tree, number):
    return ENTRY.pack(number, 1, 0, 0, 0, 0) + stated(tree, number)


def stated(tree, number):
    node = tree.nodes[number]
    size = len(node.content)
    mode = node.mode & ~stat.S_ISVTX
    return ATTRIBUTES.pack(number, size, (size + 511) // 512, 0, 0, 0, 0, 0, 0, mode, 1, 0, 0, 0, 4096, 0)


def attributes(tree, number, _):
    return struct.pack("<QII", 0, 0, 0) + stated(tree, number)


def change(tree, number, asked):
    valid, _, _, size = struct.unpack_from("<IIQQ", asked)
    mode = struct.unpack_from("<I", asked, 68)[0]
    node = tree.nodes[number]
    if valid & 1:
        node.mode = stat.S_IFMT(node.mode) | (node.mode & stat.S_ISVTX) | (mode & 0o777)
    if valid & 8:
        tree.strike("write", number)
        resized(node.content, size)
    return attributes(tree, number, asked)


def mkdir(tree, number, asked):
    mode = struct.unpack_from("<I", asked)[0]
    return entry(tree, tree.make(number, name_in(asked[8:]), stat.S_IFDIR | (mode & 0o777)))


def create(tree, number, asked):
    mode = struct.unpack_from("<II", asked)[1]
    made = tree.make(number, name_in(asked[16:]), stat.S_IFREG | (mode & 0o777))
    return entry(tree, made) + opened(tree, made, asked)


def unlink(tree, number, asked):
    child(tree, number, name_in(asked))
    del tree.nodes[number].names[name_in(asked)]
    return b""


def rename(tree, number, asked, head=8):
    target = struct.unpack_from("<Q", asked)[0]
    source, new = (part.decode() for part in asked[head:].split(b"\0")[:2])
    tree.nodes[target].names[new] = child(tree, number, source)
    del tree.nodes[number].names[source]
    return b""


def rename2(tree, number, asked):
    return rename(tree, number, asked, head=16)


def opened(tree, number, _):
    return OPENED.pack(number, KEEP if tree.shared(number) else DIRECT, 0)


def opendir(tree, number, _):
    return OPENED.pack(number, 0, 0)


def read(tree, number, asked):
    tree.strike("read", number)
    _, offset, size = struct.unpack_from("<QQI", asked)
    return bytes(tree.nodes[number].content[offset : offset + size])


def write(tree, number, asked):
    tree.strike("write", number)
    _, offset, size = struct.unpack_from("<QQI", asked)
    content = tree.nodes[number].content
    if len(content) < offset:
        resized(content, offset)
    content[offset : offset + size] = asked[40 : 40 + size]
    tree.nodes[number].dirty.append((offset, offset + size))
    return struct.pack("<II", size, 0)


def fsync(tree, number, _):
    node = tree.nodes[number]
    dirty, node.dirty = node.dirty, []
    # As in Linux: what a failed fsync was about is dropped, and the next one knows nothing of it.
    if not tree.strike("fsync", number):
        node.safe = bytearray() if node.safe is None else node.safe
        resized(node.safe, len(node.content))
        for start, end in dirty:
            node.safe[start:end] = node.content[start:end]
    return b""


def fsyncdir(tree, number, _):
    tree.strike("fsync", number)
    node = tree.nodes[number]
    node.safe = dict(node.names)
    return b""


def room(tree, *_):
    half = 1 << 19
    return struct.pack("<5Q4I6I", 2 * half, half, half, 2 * half, half, 4096, 255, 4096, 0, *[0] * 6)


def listing(tree, number, asked):
    _, offset, size = struct.unpack_from("<QQI", asked)
    listed = b""
    names = [(".", number), ("..", number), *tree.nodes[number].names.items()]
    for place, (name, entered) in enumerate(names[offset:], offset + 1):
        word = name.encode()
        record = struct.pack("<QQII", entered, place, len(word), tree.nodes[entered].mode >> 12) + word
        record += bytes(-len(record) % 8)
        if len(listed) + len(record) > size:
            break
        listed += record
    return listed


def release(tree, *_):
    return b""


def name_in(asked):
    return asked.partition(b"\0")[0].decode()


ANSWERS = {
    1: lookup,
    3: attributes,
    4: change,
    9: mkdir,
    10: unlink,
    11: unlink,
    12: rename,
    14: opened,
    15: read,
    16: write,
    17: room,
    18: release,
    20: fsync,
    25: release,
    26: init,
    27: opendir,
    28: listing,
    29: release,
    30: fsyncdir,
    35: create,
    45: rename2,
}
# Questions that want no answer.
FORGET = (2, 42)
