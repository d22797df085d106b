"""Read request bodies within bounds: of one body, and of all at one time."""

from __future__ import annotations

from types import TracebackType

from starlette.types import Receive

from tradewind.gateway.refusal import Refusal

MIB = 1024 * 1024
MOST_TOGETHER = 64 * MIB


class Bodies:
    """most: bytes of one body. most_together: bytes of all bodies that are read or wait for their commit."""

    def __init__(self, *, most: int = 5 * MIB, most_together: int = MOST_TOGETHER) -> None:
        self.most = most
        self.most_together = most_together
        self.together = 0

    def room(self) -> Room:
        """A context for one body, which is counted until it ends."""
        return Room(self)


class Room:
    """For one body."""

    __slots__ = ("_bodies", "_taken")

    def __init__(self, bodies: Bodies) -> None:
        self._bodies = bodies
        self._taken = 0

    def __enter__(self) -> Room:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bodies.together -= self._taken

    async def read(self, receive: Receive, announced: int) -> bytes:
        """The raw body. announced: its bytes, as the request's head says; 0 when it does not.

        Raises Refusal: 413 over the limit of one, whether announced or only streamed; 503 over that of all together;
        408 when it ended early.
        """
        if announced > self._bodies.most:
            raise Refusal(413, "the body is over the limit")
        chunks: list[bytes] = []
        more = True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise Refusal(408, "the body did not arrive")
            chunks.append(message.get("body", b""))
            more = message.get("more_body", False)
            self._take(len(chunks[-1]))
        return chunks[0] if len(chunks) == 1 else b"".join(chunks)

    def _take(self, count: int) -> None:
        self._taken += count
        self._bodies.together += count
        if self._taken > self._bodies.most:
            raise Refusal(413, "the body is over the limit")
        if self._bodies.together > self._bodies.most_together:
            raise Refusal(503, "too much is waiting", retry_after_s=2)
