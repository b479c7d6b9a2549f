"""Who calls: how often they may, as whom they do, and whether the call is their own."""

import time

import flask

from shared.config import settings
from shared.edge import cache, csrf, limits, sessions
from shared.edge.address import client_address
from shared.edge.declaration import Function, LimitClass, Method
from shared.edge.request import Actor, Session
from shared.errors import Forbidden, Unauthenticated


class Caller:
    """Who makes one call: what is left of their limit, their session and its renewed cookie."""

    def __init__(self, function: Function, http: flask.Request) -> None:
        self._function, self._http = function, http
        self.allowance: limits.Allowance | None = None
        self.session: Session | None = None
        self.renewed_cookie: str | None = None
        self._by_ticket = False

    def admit(self, method: Method) -> cache.Lookup:
        """What the cache has for the call; raises LimitExceeded, Unauthenticated or Forbidden."""
        now = time.time()
        token, refusal = self._token(method, now)
        caller = token.uid if token else self.address()
        self.take_limit(method.limit, caller)
        lookup = self._look_up(method, token)
        if method.ticket is not None and "Authorization" in self._http.headers:
            self.session = self._redeem(method.ticket)
            self._by_ticket = True
            if self.session.uid != caller:
                # As with a cookie: from however many addresses the tickets come.
                self.take_limit(method.limit, self.session.uid)
        elif token is not None:
            try:
                self.session = sessions.resolve(token, lookup.session_copy, now)
            except Unauthenticated as error:
                refusal = error
        self._check_role(method, refusal)
        if method.changes_state:
            self._check_forgery(method)
        if self.session is not None and not self._by_ticket:
            self._renew(self.session, now)
        return lookup

    def take_limit(self, limit: LimitClass, caller: str) -> None:
        """Counts the call; raises LimitExceeded."""
        self.allowance = limits.take(limit, self._function.name, caller or self.address())
        self.allowance.check()

    def take_limit_quietly(self) -> None:
        """Counts a call that is refused anyway."""
        self.allowance = limits.take("instance", self._function.name, self.address())

    def address(self) -> str:
        """The network address that the trusted proxy reports."""
        return client_address(self._http.headers.get("X-Forwarded-For"), self._http.remote_addr)

    def page(self) -> str:
        """Which page is meant: the path with its arguments in order."""
        return f"{self._http.path}?{sorted(self._http.args.items(multi=True))}"

    def actor(self, method: Method, invoker: str, request_id: str) -> Actor:
        """Whom the audit trail names; `invoker` where nobody has a session."""
        session = self.session
        return Actor(
            uid=session.uid if session else invoker,
            email=session.email if session else invoker,
            action=method.audit or "",
            address=self.address(),
            request_id=request_id,
        )

    def _token(self, method: Method, now: float) -> tuple[sessions.Token | None, Unauthenticated]:
        absent = Unauthenticated("Sign in first.")
        if method.limit == "instance":
            # Such a function touches nothing outside itself, whoever calls.
            return None, absent
        cookies = self._http.cookies
        value = cookies.get(sessions.COOKIE) or cookies.get(sessions.ORIGINAL_COOKIE)
        if not value:
            return None, absent
        try:
            return sessions.verify(value, now), absent
        except Unauthenticated as error:
            return None, error

    def _look_up(self, method: Method, token: sessions.Token | None) -> cache.Lookup:
        if token is None:
            return cache.Lookup()
        return cache.look_up(sessions.copy_key(token.sid), method.cached, self.page())

    def _redeem(self, purpose: str) -> Session:
        from shared.edge import tickets

        scheme, _, ticket = self._http.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not ticket:
            raise Unauthenticated("A ticket is required.")
        return tickets.redeem(ticket, purpose)

    def _check_role(self, method: Method, refusal: Unauthenticated) -> None:
        if method.role == "public":
            return
        if self.session is None:
            raise refusal
        if method.role == "super_admin" and not self.session.super_admin:
            raise Forbidden("This needs a super admin.")
        if not self.session.admin:
            raise Forbidden("This needs an admin.")

    def _check_forgery(self, method: Method) -> None:
        csrf.check_origin(self._http.headers.get("Origin"), self._own_origins())
        if method.csrf and self.session is not None and not self._by_ticket:
            csrf.check_token(self.session, self._http.headers.get(csrf.HEADER))

    def _own_origins(self) -> tuple[str, ...]:
        host = self._http.headers.get("X-Forwarded-Host") or self._http.host
        scheme = self._http.headers.get("X-Forwarded-Proto", self._http.scheme)
        return (f"{scheme}://{host}", settings().frontend_origin)

    def _renew(self, session: Session, now: float) -> None:
        renewed = sessions.renewed(session, now)
        if renewed is not None:
            self.session = renewed
            self.renewed_cookie = sessions.cookie(renewed, now)
