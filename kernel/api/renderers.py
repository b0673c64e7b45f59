"""JSON as answers are written: quickly. What is read stays with `kernel.api.parsers`."""

import json
from collections.abc import Mapping
from typing import Any

import orjson
from django.utils.encoding import force_str
from django.utils.functional import Promise
from rest_framework.renderers import BaseRenderer
from rest_framework.utils.encoders import JSONEncoder


class OrjsonRenderer(BaseRenderer):
    """`application/json`, in the least bytes. A type that orjson does not know is written as REST
    framework's own renderer would."""

    media_type = "application/json"
    format = "json"
    charset = None

    def render(
        self,
        data: Any,
        accepted_media_type: str | None = None,
        renderer_context: Mapping[str, Any] | None = None,
    ) -> bytes:
        if data is None:
            return b""
        try:
            return orjson.dumps(data, default=_other, option=orjson.OPT_NON_STR_KEYS)
        except orjson.JSONEncodeError:
            # Half a character that a caller sent and is told of: it goes out as it came, escaped.
            return json.dumps(data, default=_other, separators=(",", ":")).encode()


_encoder = JSONEncoder()


def _other(value: Any) -> Any:
    return force_str(value) if isinstance(value, Promise) else _encoder.default(value)
