"""Google's front of private functions: verifies the caller's token and takes its signature off."""

from collections.abc import Mapping

import jwt

_STRIPPED = "SIGNATURE_REMOVED_BY_GOOGLE"
_CERTS_SECONDS = 5


class Refused(Exception):
    """The caller may not invoke the function; `status` is what Google's front answers."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


class InvokerCheck:
    """Lets one service account through to tasks and schedules, and the pods' to what is theirs.

    Each brings a token that the issuer signed for the audience.
    """

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._issuer = environment["OIDC_ISSUER"]
        self._audience = environment["INTERNAL_AUDIENCE"]
        self._invoker = environment["TASKS_INVOKER"]
        self._pod = environment.get("CRAWLER_INVOKER", "")
        # No cooldown: the local issuer has a new key after each start.
        self._keys = jwt.PyJWKClient(
            environment["OIDC_CERTS_URL"], timeout=_CERTS_SECONDS, cooldown_duration=0
        )

    def pass_on(self, authorization: str, *, pod: bool = False) -> str:
        """The header as the function gets it, its signature removed; raises Refused."""
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise Refused(403, "The request was not authenticated.")
        try:
            key = self._keys.get_signing_key_from_jwt(token)
            claims = jwt.decode(
                token,
                key,
                algorithms=["RS256"],
                audience=self._audience,
                issuer=self._issuer,
                options={"require": ["exp", "iat", "iss", "aud", "email"]},
            )
        except jwt.PyJWTError as error:
            raise Refused(401, f"The access token could not be verified: {error}") from error
        invoker = self._pod if pod else self._invoker
        if claims["email"] != invoker or claims.get("email_verified") is not True:
            raise Refused(403, f"{claims['email']} may not invoke this function.")
        signed, _, _ = token.rpartition(".")
        return f"{scheme} {signed}.{_STRIPPED}"
