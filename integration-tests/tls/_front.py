"""TLS in front of something that speaks without, such as Temporal's dev server: it decrypts and passes the bytes on.

It sees what passes, so that a test can look into the calls: the headers of HTTP/2 (RFC 9113, RFC 7541) or HTTP/1.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncGenerator, Callable
from pathlib import Path
from typing import Any

from ._authority import Pair

_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
_HEADERS, _END_HEADERS, _PADDED, _PRIORITY = 1, 0x4, 0x8, 0x20


Look = Callable[[bytes], None]


class Front:
    """``address`` is where it listens. ``tries`` counts connections.

    ``peers`` are the names in the client certificates of those that were accepted.
    """

    def __init__(self, target: str, look: Callable[[], Look] | None = None) -> None:
        self._target = target
        self._look = look
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.set_alpn_protocols(["h2", "http/1.1"])
        self._writers: list[asyncio.StreamWriter] = []
        self._pipes: set[asyncio.Task[None]] = set()
        self.address = ""
        self.peers: list[str] = []
        self.serials: list[str] = []
        self.tries = 0

    @classmethod
    @contextlib.asynccontextmanager
    async def open(
        cls, target: str, pair: Pair, client_ca: Path | None = None, look: Callable[[], Look] | None = None
    ) -> AsyncGenerator[Front]:
        """With ``client_ca`` it demands certificates of that authority. ``look`` makes, for each
        connection, what gets the decrypted bytes of the client."""
        front = cls(target, look)
        front.present(pair)
        if client_ca:
            front._context.verify_mode = ssl.CERT_REQUIRED
            front._context.load_verify_locations(client_ca)
        server = await asyncio.start_server(front._connected, "127.0.0.1", 0)
        front.address = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
        try:
            yield front
        finally:
            server.close()
            front.hang_up()
            await asyncio.gather(*front._pipes, return_exceptions=True)
            await asyncio.sleep(0.05)  # asyncio closes sockets some turns of the loop after it was told to

    def present(self, pair: Pair) -> None:
        """From now on this is the certificate that connections are shown."""
        self._context.load_cert_chain(pair.cert, pair.key)

    def hang_up(self) -> None:
        """End every connection, as a restart does."""
        for writer in self._writers:
            writer.transport.abort()
        self._writers.clear()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.tries += 1
        self._writers.append(writer)
        session = _Session(self._context, reader, writer)
        try:
            await session.shake_hands()
        except (ssl.SSLError, OSError):
            writer.close()
            return
        found = session.certificate
        self.peers += [value for field in found.get("subject", ()) for name, value in field if name == "commonName"]
        self.serials += [str(found["serialNumber"])] if found else []
        host, _, port = self._target.rpartition(":")
        inner_reader, inner_writer = await asyncio.open_connection(host, int(port))
        self._writers.append(inner_writer)
        for pipe in (self._inwards(session, inner_writer), self._outwards(inner_reader, session)):
            task = asyncio.create_task(pipe)
            self._pipes.add(task)
            task.add_done_callback(self._pipes.discard)

    async def _inwards(self, session: _Session, sink: asyncio.StreamWriter) -> None:
        look = self._look() if self._look else None
        with contextlib.suppress(OSError, ssl.SSLError):
            while data := await session.read():
                if look:
                    look(data)
                sink.write(data)
                await sink.drain()
        sink.transport.abort()

    async def _outwards(self, source: asyncio.StreamReader, session: _Session) -> None:
        with contextlib.suppress(OSError, ssl.SSLError):
            while data := await source.read(65536):
                await session.write(data)
        session.close()


class _Session:
    """One TLS connection. Not asyncio's own: that drops the alert which tells a client why it is refused."""

    def __init__(self, context: ssl.SSLContext, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._in, self._out, server_side=True)

    @property
    def certificate(self) -> dict[str, Any]:
        """Of the client, once it was checked."""
        return self._tls.getpeercert() or {}

    async def shake_hands(self) -> None:
        """Raises SSLError after the client was told."""
        await self._do(self._tls.do_handshake)

    async def read(self) -> bytes:
        """What the client sends next; nothing at its end."""
        try:
            return await self._do(lambda: self._tls.read(65536))
        except ssl.SSLZeroReturnError:
            return b""

    async def write(self, data: bytes) -> None:
        """Send all of it."""
        self._tls.write(data)
        await self._flush()

    def close(self) -> None:
        """At once."""
        self._writer.transport.abort()

    async def _do(self, action: Callable[[], Any]) -> Any:
        while True:
            try:
                return action()
            except ssl.SSLWantReadError:
                await self._flush()
                data = await self._reader.read(65536)
                if not data:
                    raise ConnectionError("the client has hung up") from None
                self._in.write(data)
            finally:
                await self._flush()

    async def _flush(self) -> None:
        if data := self._out.read():
            self._writer.write(data)
            await self._writer.drain()


class Metadata:
    """Collects the headers of HTTP/2 requests; each connection has a decoder of its own."""

    def __init__(self) -> None:
        self.seen: list[dict[str, str]] = []

    def __call__(self) -> Look:
        """For one more connection."""
        return _Frames(self.seen).take


class _Frames:
    def __init__(self, seen: list[dict[str, str]]) -> None:
        from hpack import Decoder

        self._seen = seen
        self._decoder = Decoder()
        self._rest = b""

    def take(self, data: bytes) -> None:
        """The next bytes of a client."""
        self._rest = (self._rest + data).removeprefix(_PREFACE)
        if _PREFACE.startswith(self._rest):
            return
        while len(self._rest) >= 9 and len(self._rest) >= (end := 9 + int.from_bytes(self._rest[:3], "big")):
            kind, flags, payload = self._rest[3], self._rest[4], self._rest[9:end]
            self._rest = self._rest[end:]
            if kind == _HEADERS:
                self._headers(flags, payload)

    def _headers(self, flags: int, payload: bytes) -> None:
        assert flags & _END_HEADERS, "headers that need a second frame are not looked at"
        if flags & _PADDED:
            payload = payload[1 : len(payload) - payload[0]]
        if flags & _PRIORITY:
            payload = payload[5:]
        self._seen.append({str(name): str(value) for name, value in self._decoder.decode(payload)})
