"""What may come in: JSON of at most 1 MB that every database and every reader understands."""

from __future__ import annotations

import json
from typing import IO, TYPE_CHECKING, Any

from rest_framework.exceptions import APIException, ParseError
from rest_framework.parsers import BaseParser
from rest_framework.renderers import JSONRenderer

from notifications.exceptions import NotPlainData
from notifications.inputs import check_plain

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Bytes of a request's body.
MAX_BODY = 1024 * 1024


class BodyTooLarge(APIException):
    """The body is larger than anything this API takes."""

    status_code = 413
    default_code = "too_large"
    default_detail = f"The body is over {MAX_BODY} bytes; send less at once."


class PlainJSONParser(BaseParser):
    """Read JSON; refuse what could not be stored, or not be read again: NUL, lone surrogates, depth, huge numbers."""

    media_type = "application/json"
    renderer_class = JSONRenderer

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        body = stream.read(MAX_BODY + 1)
        if len(body) > MAX_BODY:
            raise BodyTooLarge
        try:
            data = json.loads(body, parse_constant=_refuse)
            check_plain(data, "the body")
        except RecursionError as e:
            message = "The body is nested too deeply."
            raise ParseError(message) from e
        except NotPlainData as e:
            raise ParseError(str(e)) from e
        except ValueError as e:
            # What cannot be decoded, what is no JSON, and a number of thousands of digits.
            raise ParseError(f"The body is no JSON: {e}.") from e
        return data


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is no number of JSON's")
