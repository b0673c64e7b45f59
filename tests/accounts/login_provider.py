"""A login provider on loopback: OpenID Connect's discovery, authorize, token, userinfo and jwks,
with id tokens that are really signed, and the checks that a provider makes."""

import base64
import hashlib
import json
import secrets
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

CLIENT, SECRET = "eqtrade", "secret-of-the-tests"
POLL_SECONDS = 0.02
"""So soon it sees that it is to end."""


class LoginProvider:
    """`claims` is who is logged in there; `signed_with` the key that it signs with, `published` the
    one that it says it does."""

    def __init__(self) -> None:
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                provider.get(self)

            def do_POST(self) -> None:
                length = int(self.headers["Content-Length"])
                provider.token(self, _flat(self.rfile.read(length).decode()))

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        self.claims: dict[str, Any] = {"sub": "4711", "preferred_username": "trader"}
        self.in_token: dict[str, Any] = {}
        self.userinfo: dict[str, Any] | None = None
        self.published = self.signed_with = rsa.generate_private_key(65537, 2048)
        self.asked: dict[str, dict[str, str]] = {}
        self.given: set[str] = set()
        self.redeemed = 0

    def __enter__(self) -> "LoginProvider":
        Thread(target=self.server.serve_forever, args=[POLL_SECONDS], daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.server.server_close()

    def get(self, request: BaseHTTPRequestHandler) -> None:
        at = urlsplit(request.path)
        if at.path == "/.well-known/openid-configuration":
            places = {
                f"{name}_endpoint": f"{self.url}/{name}"
                for name in ("authorization", "token", "userinfo")
            }
            return _json(request, {"issuer": self.url, "jwks_uri": f"{self.url}/jwks", **places})
        if at.path == "/authorization":
            asked = _flat(at.query)
            code = secrets.token_urlsafe(16)
            self.asked[code] = asked
            back = urlencode({"code": code, "state": asked["state"]})
            request.send_response(302)
            request.send_header("Location", f"{asked['redirect_uri']}?{back}")
            return request.end_headers()
        if at.path == "/jwks":
            public = jwt.algorithms.RSAAlgorithm.to_jwk(self.published.public_key(), as_dict=True)
            return _json(request, {"keys": [{**public, "kid": "1", "alg": "RS256", "use": "sig"}]})
        key = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if at.path == "/userinfo" and key in self.given:
            return _json(request, self.claims if self.userinfo is None else self.userinfo)
        return _json(request, {}, status=404)

    def token(self, request: BaseHTTPRequestHandler, sent: dict[str, str]) -> None:
        """Of a code once, for the client that is known, with the verifier of its challenge."""
        asked = self.asked.pop(sent.get("code", ""), None)
        verifier = sent.get("code_verifier", "")
        digest = hashlib.sha256(verifier.encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).decode().rstrip("=")
        known = (sent.get("client_id"), sent.get("client_secret")) == (CLIENT, SECRET)
        if asked is None or not known or asked.get("code_challenge") != challenge:
            return _json(request, {"error": "invalid_grant"}, status=400)
        self.redeemed += 1
        now = int(time.time())
        claims = {"iss": self.url, "aud": CLIENT, "iat": now, "exp": now + 60, **self.claims}
        signed = jwt.encode(
            {**claims, **self.in_token}, self.signed_with, "RS256", headers={"kid": "1"}
        )
        self.given.add(key := secrets.token_urlsafe(16))
        return _json(request, {"access_token": key, "token_type": "Bearer", "id_token": signed})


def _flat(query: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(query).items()}


def _json(request: BaseHTTPRequestHandler, body: Any, status: int = 200) -> None:
    data = json.dumps(body).encode()
    request.send_response(status)
    request.send_header("Content-Type", "application/json")
    request.send_header("Content-Length", str(len(data)))
    request.end_headers()
    request.wfile.write(data)
