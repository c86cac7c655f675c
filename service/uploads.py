"""The one uploaded file of a multipart request, in memory."""

import asyncio
from contextlib import aclosing

from python_multipart.multipart import parse_options_header
from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import ClientDisconnect, Request

from service.errors import ServiceError

FIELD = "file"
_MAX_PARTS = 16


class _InMemoryParser(MultiPartParser):
    # The body limit bounds memory already, and a container need not have a writable /tmp.
    spool_max_size = 2**62


async def read_upload(request: Request, *, timeout: float) -> bytes:
    """Read the request's body and return the bytes of its `file` field.

    Args:
        timeout: seconds the client has to send it.

    Raises:
        ServiceError: `unsupported_content_type`, `malformed_multipart`, `file_missing`, `file_empty`,
            `too_many_files`, `unexpected_field`, `upload_timeout`, `body_too_large`, `client_closed_request`.
    """
    kind, _ = parse_options_header(request.headers.get("content-type"))
    if kind != b"multipart/form-data":
        raise ServiceError("unsupported_content_type", "send multipart/form-data with one field named 'file'")
    try:
        async with asyncio.timeout(timeout):
            form = await _parse(request)
    except TimeoutError as error:
        raise ServiceError("upload_timeout", f"the body did not arrive within {timeout:g} s") from error
    except ClientDisconnect as error:
        raise ServiceError("client_closed_request", "the client closed the connection") from error
    except (MultiPartException, UnicodeError, ValueError) as error:
        raise ServiceError("malformed_multipart", "the multipart body cannot be parsed") from error
    try:
        return await _only_file(form)
    finally:
        await form.close()


async def _parse(request: Request) -> FormData:
    async with aclosing(request.stream()) as stream:
        parser = _InMemoryParser(request.headers, stream, max_files=_MAX_PARTS, max_fields=_MAX_PARTS)
        return await parser.parse()


async def _only_file(form: FormData) -> bytes:
    entries = form.multi_items()
    if any(name != FIELD for name, _ in entries):
        raise ServiceError("unexpected_field", "the only field is 'file'; options go into the query")
    if not entries:
        raise ServiceError("file_missing", "there is no field named 'file'")
    if len(entries) > 1:
        raise ServiceError("too_many_files", "send one file a request")
    upload = entries[0][1]
    if not isinstance(upload, UploadFile):
        raise ServiceError("file_missing", "the field 'file' has no file name, so it is not a file")
    data = await upload.read()
    if not data:
        raise ServiceError("file_empty", "the file is empty")
    return data
