"""A server that answers whatever it is asked after a while: ``python -m benchmarks.instant_server SECONDS``.

It speaks as much of OpenAI's protocol as a critic's client asks for, reads bodies without looking into them, and takes
any number of requests at a time. It prints its port, and ends with its standard input.
"""

from __future__ import annotations

import asyncio
import json
import math
import sys

_TOP = [{"token": token, "logprob": math.log(chance)} for token, chance in (("Yes", 0.8), ("No", 0.15), ("The", 0.05))]
_CHOICE = {"message": {"role": "assistant", "content": "Yes"}, "finish_reason": "stop"}
_LOGPROBS = {"content": [_TOP[0] | {"top_logprobs": _TOP}]}
_MODELS = {"data": [{"id": "instant", "owned_by": "benchmarks"}]}


def _answer(value: object) -> bytes:
    body = json.dumps(value).encode()
    head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


VERDICT = _answer({"choices": [_CHOICE | {"logprobs": _LOGPROBS}]})
LISTING, VERSION = _answer(_MODELS), _answer({"version": "1"})


class Conversation(asyncio.BufferedProtocol):
    """One connection: requests that follow each other."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._buffer = bytearray(1 << 20)
        self._head = b""
        self._left = 0  # bytes of a body that are still to come
        self._path = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the connection."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def get_buffer(self, sizehint: int) -> memoryview:
        """Where to put what comes."""
        return memoryview(self._buffer)

    def buffer_updated(self, nbytes: int) -> None:
        """Count a body down, or read a head."""
        if self._left:
            self._left -= nbytes
            if self._left <= 0:
                self._reply()
            return
        self._head += self._buffer[:nbytes]
        if b"\r\n\r\n" not in self._head:
            return
        head, _, rest = self._head.partition(b"\r\n\r\n")
        self._head, self._path = b"", head.split(b" ", 2)[1]
        lengths = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
        self._left = int(lengths[0].partition(b":")[2]) - len(rest) if lengths else 0
        if self._left <= 0:
            self._reply()

    def _reply(self) -> None:
        self._left = 0
        if self._path.endswith(b"/chat/completions"):
            asyncio.get_running_loop().call_later(self._seconds, self._write, VERDICT)
        else:
            self._write(LISTING if self._path.endswith(b"/models") else VERSION)

    def _write(self, answer: bytes) -> None:
        if not self._transport.is_closing():
            self._transport.write(answer)


async def serve(seconds: float) -> None:
    """Serve on a free port until the standard input ends."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Conversation(seconds), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)
    server.close()


if __name__ == "__main__":
    asyncio.run(serve(float(sys.argv[1])))
