"""What a page may load and where it may send a form: one policy for every page that Django makes.

No script stands in a page itself: all come from files of this origin, so the policy needs neither
nonces nor hashes, and a script that somebody got into a page does not run. What nginx passes on
from Flower, and whatever is no page, has its policy in deploy/nginx.conf.template.
"""

from collections.abc import Mapping, Sequence

from csp.constants import NONE, SELF, UNSAFE_INLINE
from csp.middleware import CSPMiddleware
from django.http import HttpRequest
from django.http.response import HttpResponseBase

DIRECTIVES: Mapping[str, Sequence[str]] = {
    "default-src": [NONE],
    "object-src": [NONE],
    "script-src": [SELF],
    # The grid makes style sheets as it goes, and the admin, Swagger and Flower have style
    # attributes in their markup, which no nonce covers. A style runs no code, and with images and
    # fonts of this origin only, it has nowhere to send what it might match.
    "style-src": [SELF, UNSAFE_INLINE],
    # The grid's icons are data of its style sheet.
    "img-src": [SELF, "data:"],
    "font-src": [SELF, "data:"],
    # Its own websocket too.
    "connect-src": [SELF],
    "worker-src": [SELF],
    "form-action": [SELF],
    "base-uri": [NONE],
    "frame-ancestors": [NONE],
}


class PagePolicy(CSPMiddleware):
    """Adds the policy to pages alone: an answer of the API has nginx's, and no time is lost."""

    def process_response(
        self, request: HttpRequest, response: HttpResponseBase
    ) -> HttpResponseBase:
        if not response.get("Content-Type", "").startswith("text/html"):
            return response
        return super().process_response(request, response)
