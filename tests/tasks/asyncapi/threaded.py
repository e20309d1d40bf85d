"""A server in a thread with an event loop of its own: it outlives the loops of those who speak to it."""

import asyncio
import threading


class Threaded:
    """Serves on a port that the system gives; `serve` is asked for every connection."""

    def __init__(self, serve):
        self._serve = serve
        self._writers = set()
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self._thread.start()
        self._server = self.call(asyncio.start_server(self._answer, "127.0.0.1", 0))
        self.port = self._server.sockets[0].getsockname()[1]

    def call(self, work):
        """Do something in the thread, and return what it gives."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(60)

    def drop(self):
        """Break every connection."""
        self.call(self._drop())

    def close(self):
        self.call(self._close())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join()
        self.loop.close()

    async def _drop(self):
        for writer in list(self._writers):
            writer.close()

    async def _close(self):
        self._server.close()
        await self._drop()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    async def _answer(self, reader, writer):
        self._writers.add(writer)
        try:
            await self._serve(reader, writer)
        except (asyncio.IncompleteReadError, asyncio.CancelledError, ConnectionError):
            pass  # They part, or the test is over.
        finally:
            self._writers.discard(writer)
            writer.close()
