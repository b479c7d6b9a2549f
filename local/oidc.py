"""The issuer of the identity tokens that Google sends with tasks and scheduled calls."""

import base64
import hashlib
import time
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route


class Issuer:
    """Signs tokens as Google does and publishes the key that verifies them."""

    def __init__(self, issuer_url: str) -> None:
        self.url = issuer_url
        self._key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        public = self._key.public_key()
        # A verifier fetches keys anew only for an id that it has not seen, so a new key needs one.
        digest = hashlib.sha256(
            public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        ).digest()
        self._key_id = base64.urlsafe_b64encode(digest[:15]).decode()
        self._jwk = jwt.algorithms.RSAAlgorithm.to_jwk(public, as_dict=True)

    def sign(self, audience: str, email: str, lifetime_seconds: int = 3600) -> str:
        """A token that says the service account `email` is calling `audience`."""
        # Google's subject is the account's numeric id; any stable digits will do here.
        subject = str(int.from_bytes(hashlib.sha256(email.encode()).digest()[:8])).zfill(20)
        now = int(time.time())
        claims = {
            "iss": self.url,
            "aud": audience,
            "azp": subject,
            "sub": subject,
            "email": email,
            "email_verified": True,
            "iat": now,
            "exp": now + lifetime_seconds,
        }
        return jwt.encode(claims, self._key, algorithm="RS256", headers={"kid": self._key_id})

    def jwks(self) -> dict[str, list[dict[str, Any]]]:
        """The JSON Web Key Set with this issuer's public key."""
        published = {k: v for k, v in self._jwk.items() if k != "key_ops"}
        return {"keys": [published | {"use": "sig", "alg": "RS256", "kid": self._key_id}]}

    def routes(self) -> list[Route]:
        """`GET /certs`, where verifiers fetch the key set."""
        return [Route("/certs", self._certs)]

    async def _certs(self, _: Request) -> JSONResponse:
        return JSONResponse(self.jwks(), headers={"Cache-Control": "public, max-age=300"})
