"""A link to a server on which everything arrives later than it was sent."""

import queue
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from urllib.parse import urlsplit


@contextmanager
def slow(address: str, *, delay_s: float = 0.15) -> Iterator[str]:
    """Gives an address of the same server, each way of which takes so long."""
    port = urlsplit(address).port
    assert port is not None
    ends: list[socket.socket] = []

    def take(listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                there, _ = listener.accept()
                back = socket.create_connection(("127.0.0.1", port))
                ends.extend((there, back))
                _carried(there, back, delay_s)
                _carried(back, there, delay_s)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=take, args=(listener,), daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            with suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            thread.join(10)
            for end in ends:
                end.close()


def _carried(source: socket.socket, target: socket.socket, delay_s: float) -> None:
    """Carries one way of a connection, in threads of its own that end with it."""
    on_the_way: queue.Queue[tuple[float, bytes]] = queue.Queue()

    def leave() -> None:
        content = b"."
        while content:
            try:
                content = source.recv(1 << 16)
            except OSError:
                content = b""
            on_the_way.put((time.monotonic() + delay_s, content))

    def arrive() -> None:
        with suppress(OSError):
            while True:
                at, content = on_the_way.get()
                time.sleep(max(0.0, at - time.monotonic()))
                if not content:
                    target.shutdown(socket.SHUT_WR)
                    return
                target.sendall(content)

    for carry in (leave, arrive):
        threading.Thread(target=carry, daemon=True).start()
