"""Server-sent events, as bytes come: only their `data` matters here. Pure."""

from __future__ import annotations


class EventStream:
    """Cuts a stream into events. Lines end in CR LF, LF or CR, wherever the chunks are cut."""

    def __init__(self) -> None:
        """Begin before the first byte."""
        self._rest = bytearray()
        self._data: list[bytes] = []
        self._skip_feed = False
        self._first = True

    def feed(self, chunk: bytes) -> list[bytes]:
        """Return the data of each event that these bytes complete; events without data are left out."""
        found: list[bytes] = []
        for line in self._lines(chunk):
            if not line:
                if self._data:
                    found.append(b"\n".join(self._data))
                    self._data.clear()
            elif line == b"data" or line.startswith(b"data:"):
                self._data.append(line[5:].removeprefix(b" "))
        return found

    def _lines(self, chunk: bytes) -> list[bytes]:
        if self._skip_feed and chunk.startswith(b"\n"):
            chunk = chunk[1:]
        if chunk:
            # A carriage return at the very end may be the first half of a line's end.
            self._skip_feed = chunk.endswith(b"\r")
        # What is left over holds no end of a line, so only the new bytes are searched.
        pieces = chunk.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
        if len(pieces) == 1:
            self._rest += pieces[0]
            return []
        lines = [bytes(self._rest) + pieces[0], *pieces[1:-1]]
        self._rest[:] = pieces[-1]
        if self._first:
            self._first = False
            lines[0] = lines[0].removeprefix(b"\xef\xbb\xbf")
        return lines
