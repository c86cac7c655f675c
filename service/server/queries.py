"""What a query may say, checked without the framework, whose own way costs a request more than reading does."""

from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from starlette.requests import Request

from service.errors import ServiceError

Q = TypeVar("Q", bound=BaseModel)


def query_of(request: Request, model: type[Q]) -> Q:
    """The query's values.

    Raises:
        ServiceError: `invalid_query`: a value is not understood, a name is not known (a misspelt option would go
            unnoticed), or is there twice.
    """
    if not request.scope["query_string"]:
        return model()
    pairs = request.query_params.multi_items()
    values = dict(pairs)
    if len(values) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise refused([{"loc": (twice,), "msg": "Given more than once", "type": "multiple"}])
    try:
        return model.model_validate(values)
    except ValidationError as error:
        raise refused(error.errors(include_input=False, include_url=False, include_context=False)) from error


def refused(errors: Iterable[Mapping[str, Any]]) -> ServiceError:
    """The problem of a query with these errors, in pydantic's form. The refused value itself is the client's and
    stays out."""
    entries = [
        {"field": str(entry["loc"][-1])[:64], "message": entry["msg"], "kind": entry["type"]}
        for entry in errors
    ]
    return ServiceError("invalid_query", "the query has values that are not understood", errors=entries)
