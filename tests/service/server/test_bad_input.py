"""Every malformed or unusual upload: status and code, never a 5xx."""

import io
import socket
from collections.abc import Iterator

import httpx
import numpy as np
import pytest
from PIL import Image, ImageFile

from tests.builders.images import animation, encode, pattern, png_header, with_broken_crc

ROUTES = ("/decode", "/upscale", "/v1/decode", "/v1/upscale")


@pytest.fixture(params=ROUTES)
def route(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def post(client: httpx.Client, route: str, data: bytes) -> httpx.Response:
    return client.post(route, files={"file": ("upload", data)})


def assert_problem(response: httpx.Response, status: int, code: str) -> None:
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    body = response.json()
    assert body["code"] == code
    assert body["status"] == status
    assert body["title"]
    assert body["detail"]


def large() -> bytes:
    return encode(pattern(1001, 1000), "JPEG")


IMAGES = {
    "text": (b"just some text, no picture at all", 415, "unsupported_image_format"),
    "svg": (b"<svg xmlns='http://www.w3.org/2000/svg'/>", 415, "unsupported_image_format"),
    "pdf": (b"%PDF-1.7", 415, "unsupported_image_format"),
    "truncated JPEG": (encode(pattern(64, 64), "JPEG")[:-400], 422, "damaged_image"),
    "JPEG cut in its header": (encode(pattern(64, 64), "JPEG")[:300], 422, "damaged_image"),
    "signature only": (b"\x89PNG\r\n\x1a\n", 422, "damaged_image"),
    "PNG with wrong IDAT checksum": (with_broken_crc(encode(pattern(40, 40)), b"IDAT"), 422, "damaged_image"),
    "PNG with wrong IHDR checksum": (with_broken_crc(encode(pattern(40, 40)), b"IHDR"), 422, "damaged_image"),
    "truncated PNG": (encode(pattern(64, 64))[:-100], 422, "damaged_image"),
    "truncated WebP": (encode(pattern(64, 64), "WEBP")[:-60], 422, "damaged_image"),
    "truncated BMP": (encode(pattern(64, 64), "BMP")[:-60], 422, "damaged_image"),
    "50,000 x 50,000 header": (png_header(50_000, 50_000), 422, "image_too_large"),
    "10,000 x 10,000 header": (png_header(10_000, 10_000), 422, "image_too_large"),
    "more pixels than the limit": (large(), 422, "image_too_large"),
    "1 x 1": (encode(pattern(1, 1)), 422, "image_too_small"),
    "4 x 4000": (encode(pattern(4000, 4)), 422, "image_too_small"),
    "4000 x 7": (encode(pattern(7, 4000)), 422, "image_too_small"),
}


@pytest.mark.parametrize("name", IMAGES)
def test_images_that_are_refused(client: httpx.Client, route: str, name: str) -> None:
    data, status, code = IMAGES[name]
    assert_problem(post(client, route, data), status, code)


def sixteen_bit() -> Image.Image:
    return Image.fromarray(np.linspace(0, 65535, 40 * 40).reshape(40, 40).astype(np.uint16))


ACCEPTED = {
    "animated GIF": animation("GIF"),
    "animated WebP": animation("WEBP"),
    "animated PNG": animation("PNG"),
    "16-bit grey": encode(sixteen_bit()),
    "palette": encode(Image.fromarray(pattern(40, 40)).quantize(16)),
    "palette with transparency": encode(Image.fromarray(pattern(40, 40)).quantize(16), transparency=3),
    "CMYK": encode(Image.fromarray(pattern(40, 40)).convert("CMYK"), "JPEG"),
    "grey and alpha": encode(Image.fromarray(pattern(40, 40)).convert("LA")),
    "bilevel": encode(Image.fromarray(pattern(40, 40)).convert("1")),
    "8 x 8": encode(pattern(8, 8)),
    "8 x 4000": encode(pattern(8, 4000)),
}


@pytest.mark.parametrize("name", ACCEPTED)
def test_images_that_are_unusual_and_accepted(client: httpx.Client, route: str, name: str) -> None:
    response = post(client, route, ACCEPTED[name])
    assert response.status_code == 200, response.text
    if route.endswith("upscale"):
        width, height = Image.open(io.BytesIO(ACCEPTED[name])).size
        assert Image.open(io.BytesIO(response.content)).size == (4 * width, 4 * height)
    else:
        assert response.json()["symbols"] == []


def test_a_huge_header_is_refused_without_decoding(
    client: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    loads = []
    monkeypatch.setattr(ImageFile.ImageFile, "load", lambda self: loads.append(self.size))
    data = png_header(50_000, 50_000)
    assert len(data) <= 1024
    assert_problem(post(client, "/upscale", data), 422, "image_too_large")
    assert_problem(post(client, "/upscale", png_header(5_000, 5_000)), 422, "image_too_large")
    assert loads == []


def test_a_form_without_a_file_is_refused(client: httpx.Client, route: str) -> None:
    empty = b"--b--\r\n"
    response = client.post(route, content=empty, headers={"content-type": "multipart/form-data; boundary=b"})
    assert_problem(response, 400, "file_missing")


def test_an_empty_file_is_refused(client: httpx.Client, route: str) -> None:
    assert_problem(post(client, route, b""), 400, "file_empty")


def test_a_file_field_without_a_file_name_is_refused(client: httpx.Client, route: str) -> None:
    response = client.post(route, files={"file": (None, b"text")})
    assert_problem(response, 400, "file_missing")


def test_a_form_with_two_files_is_refused(client: httpx.Client, route: str) -> None:
    image = encode(pattern(20, 20))
    response = client.post(route, files=[("file", ("a", image)), ("file", ("b", image))])
    assert_problem(response, 400, "too_many_files")


def test_a_form_of_a_hundred_files_is_refused(client: httpx.Client, route: str) -> None:
    response = client.post(route, files=[("file", (str(index), b"x")) for index in range(100)])
    assert_problem(response, 400, "malformed_multipart")


def test_a_file_under_another_name_is_refused(client: httpx.Client, route: str) -> None:
    response = client.post(route, files={"image": ("a", encode(pattern(20, 20)))})
    assert_problem(response, 400, "unexpected_field")


@pytest.mark.parametrize(
    "body",
    [b"", b"no boundary at all", b"--b\r\nno header\r\n\r\n", b"--b\r\n\r\ndata\r\n--b--\r\n"],
)
def test_a_malformed_form_is_refused(client: httpx.Client, route: str, body: bytes) -> None:
    response = client.post(route, content=body, headers={"content-type": "multipart/form-data; boundary=b"})
    assert response.status_code == 400
    assert response.json()["code"] in ("malformed_multipart", "file_missing")


def test_a_form_without_a_boundary_is_refused(client: httpx.Client, route: str) -> None:
    response = client.post(route, content=b"x", headers={"content-type": "multipart/form-data"})
    assert_problem(response, 400, "malformed_multipart")


@pytest.mark.parametrize(
    "kind", ["text/plain", "multipart/mixed; boundary=x", "application/x-www-form-urlencoded"]
)
def test_a_body_of_another_content_type_is_refused(client: httpx.Client, route: str, kind: str) -> None:
    response = client.post(route, content=encode(pattern(20, 20)), headers={"content-type": kind})
    assert_problem(response, 415, "unsupported_content_type")


def test_a_declared_body_over_the_limit_is_refused(client: httpx.Client, route: str) -> None:
    assert_problem(post(client, route, bytes(2_100_000)), 413, "body_too_large")


def test_declared_length_is_refused_before_the_body_is_sent(server_port: int, route: str) -> None:
    with socket.create_connection(("127.0.0.1", server_port), timeout=10) as connection:
        head = f"POST {route} HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=b\r\n"
        connection.sendall(head.encode() + b"Content-Length: 99999999999\r\n\r\n")
        answer = connection.recv(65536)
    assert answer.startswith(b"HTTP/1.1 413")
    assert b"connection: close" in answer.lower()


def test_a_chunked_body_over_the_limit_is_refused(client: httpx.Client, route: str) -> None:
    def body() -> Iterator[bytes]:
        yield b'--b\r\nContent-Disposition: form-data; name="file"; filename="x"\r\n\r\n'
        for _ in range(40):
            yield bytes(65536)
        yield b"\r\n--b--\r\n"

    response = client.post(route, content=body(), headers={"content-type": "multipart/form-data; boundary=b"})
    assert_problem(response, 413, "body_too_large")


def test_a_chunked_body_within_the_limit_is_accepted(client: httpx.Client, route: str) -> None:
    image = encode(pattern(20, 20))

    def body() -> Iterator[bytes]:
        yield b'--b\r\nContent-Disposition: form-data; name="file"; filename="x"\r\n\r\n'
        yield image[:100]
        yield image[100:]
        yield b"\r\n--b--\r\n"

    response = client.post(route, content=body(), headers={"content-type": "multipart/form-data; boundary=b"})
    assert response.status_code == 200


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH", "OPTIONS", "HEAD"])
def test_a_wrong_method_is_answered_405(client: httpx.Client, route: str, method: str) -> None:
    response = client.request(method, route)
    assert response.status_code == 405
    assert response.headers["allow"] == "POST"
    if method != "HEAD":
        assert_problem(response, 405, "method_not_allowed")


def test_an_unknown_path_is_answered_404(client: httpx.Client) -> None:
    assert_problem(client.get("/nothing/here"), 404, "not_found")


@pytest.mark.parametrize(
    "query",
    ["format=tiff", "format=", "decode=perhaps", "colour=true", "format=png&formt=jpeg", "FORMAT=png"],
)
def test_an_unknown_query_value_is_refused(client: httpx.Client, query: str) -> None:
    response = client.post(f"/upscale?{query}", files={"file": ("a", encode(pattern(20, 20)))})
    assert_problem(response, 422, "invalid_query")
    assert response.json()["errors"][0]["field"]


def test_decode_takes_no_query(client: httpx.Client) -> None:
    response = client.post("/decode?format=png", files={"file": ("a", encode(pattern(20, 20)))})
    assert_problem(response, 422, "invalid_query")
    assert response.json()["errors"][0]["field"] == "format"


def test_an_answer_never_repeats_the_refused_value(client: httpx.Client) -> None:
    response = client.post("/upscale?format=SECRET", files={"file": ("a", encode(pattern(20, 20)))})
    assert "SECRET" not in response.text


def test_a_slow_upload_is_given_up(slow_port: int) -> None:
    with socket.create_connection(("127.0.0.1", slow_port), timeout=10) as connection:
        connection.sendall(
            b"POST /decode HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=b\r\n"
            b"Content-Length: 1000\r\n\r\n--b\r\n"
        )
        answer = b""
        while b"\r\n\r\n" not in answer:
            answer += connection.recv(65536)
    assert answer.startswith(b"HTTP/1.1 408")
