"""What of the answers is not as /openapi.json says, by openapi-core; openapi-spec-validator
looks at the document itself.

Reads {"document": ..., "exchanges": [{"method", "path", "query", "headers", "type", "body",
"status", "answerType", "answer"}]} and prints a JSON array: for each exchange what is wrong
with it, or an empty text.
"""

import json
import sys

from openapi_core import Config, OpenAPI
from openapi_core.exceptions import OpenAPIError
from openapi_core.testing import MockRequest, MockResponse
from openapi_spec_validator import validate


def complaint(api: OpenAPI, one: dict) -> str:
    request = MockRequest(
        "http://localhost",
        one["method"].lower(),
        one["path"],
        args=one["query"],
        headers=one["headers"],
        data=(one["body"] or "").encode(),
        content_type=one["type"],
    )
    response = MockResponse(
        one["answer"].encode(), status_code=one["status"], content_type=one["answerType"]
    )
    try:
        api.validate_response(request, response)
        # What was refused may be wrong; what was taken must be as described.
        if one["status"] < 400 and one["body"] is not None:
            api.validate_request(request)
    except OpenAPIError as error:
        return told(error)
    return ""


def told(error: BaseException) -> str:
    parts = [f"{type(error).__name__}: {error}"]
    parts += [str(part)[:500] for part in getattr(error, "schema_errors", None) or []]
    if error.__cause__:
        parts.append(told(error.__cause__))
    return "\n  ".join(parts)


given = json.load(sys.stdin)
validate(given["document"])
# Of which it knows no more than that it is text, or bytes, which have the same schema.
others = {
    "text/event-stream": lambda text, **_: text.decode(),
    "image/webp": lambda image, **_: image.decode("latin-1"),
}
config = Config(extra_media_type_deserializers=others)
api = OpenAPI.from_dict(given["document"], config=config)
json.dump([complaint(api, one) for one in given["exchanges"]], sys.stdout)
