"""What a server can give at most: ``python -m benchmarks.bare_client PORT BYTES REQUESTS CONCURRENCY``.

Each of CONCURRENCY threads sends one ready request of BYTES after the other over a socket of its own and looks at
nothing of the answer but its length. It prints the seconds that all REQUESTS took, and those of its
processors.
"""

from __future__ import annotations

import socket
import sys
import threading
import time
from collections.abc import Iterator

from benchmarks.instant_server import VERDICT


def main(port: int, size: int, requests: int, concurrency: int) -> None:
    """Send all requests, and print the seconds."""
    head = f"POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {size}\r\n\r\n".encode()
    message, tickets = head + bytes(size), iter(range(requests))
    threads = [threading.Thread(target=_send, args=(port, message, tickets)) for _ in range(concurrency)]
    started = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(time.perf_counter() - started, time.process_time())


def _send(port: int, message: bytes, tickets: Iterator[int]) -> None:
    """Send a request for each ticket, over one connection."""
    with socket.create_connection(("127.0.0.1", port)) as connection:
        for _ in tickets:
            connection.sendall(message)
            left = len(VERDICT)
            while left:
                left -= len(connection.recv(left))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
