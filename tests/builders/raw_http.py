"""HTTP by hand, over a socket: requests in whatever pieces, and their answers."""

import http.client
import json
import socket
import time
from collections.abc import Iterable

from tests.builders.images import encode, symbol
from tests.builders.server import Server

BOUNDARY = b"a1b2c3"


def upload(data: bytes) -> bytes:
    """The multipart body that uploads a file."""
    head = b'Content-Disposition: form-data; name="file"; filename="a.png"\r\n\r\n'
    return b"--%s\r\n%s%s\r\n--%s--\r\n" % (BOUNDARY, head, data, BOUNDARY)


def form(text: str) -> bytes:
    """The multipart body that uploads a symbol."""
    return upload(encode(symbol(text, scale=4)))


def head(*lines: bytes) -> bytes:
    """The head of a request to read a symbol that asks for HTTP/2, as the JDK's client does."""
    asked = (b"Connection: Upgrade, HTTP2-Settings", b"Upgrade: h2c", b"HTTP2-Settings: AAEAAEAAAAIAAAAB")
    kind = b"Content-Type: multipart/form-data; boundary=" + BOUNDARY
    return b"\r\n".join([b"POST /v1/decode HTTP/1.1", b"Host: x", *asked, kind, *lines, b"", b""])


def with_length(body: bytes) -> list[bytes]:
    """Head and body of a request that declares its length."""
    return [head(b"Content-Length: %d" % len(body)), body]


def in_chunks(body: bytes) -> list[bytes]:
    """Head and body of a request in chunks."""
    parts = [body[:100], body[100:]]
    chunks = [b"%x\r\n%s\r\n" % (len(part), part) for part in parts]
    return [head(b"Transfer-Encoding: chunked"), *chunks, b"0\r\n\r\n"]


def send(connection: socket.socket, pieces: Iterable[bytes]) -> None:
    """Send pieces that do not arrive as one."""
    for piece in pieces:
        connection.sendall(piece)
        # Long enough for it to be parsed by itself.
        time.sleep(0.05)


def texts(connection: socket.socket, count: int) -> list[str]:
    """What is read from as many uploads, by the answers that come."""
    found = []
    for _ in range(count):
        response = http.client.HTTPResponse(connection, method="POST")
        response.begin()
        found.append(json.loads(response.read())["symbols"][0]["text"])
    return found


def answer_to(connection: socket.socket) -> tuple[int, dict[str, str], bytes]:
    """Status, headers and body of what is answered until the other side hangs up."""
    data = b""
    try:
        while piece := connection.recv(65536):
            data += piece
    except ConnectionResetError:
        pass  # it hung up while we were still sending
    head, _, body = data.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = dict(line.lower().split(": ", 1) for line in lines)
    return int(first.split()[1]), headers, body


def connect(server: Server) -> socket.socket:
    """A connection to a server of this machine."""
    return socket.create_connection(("127.0.0.1", server.port), timeout=20)
