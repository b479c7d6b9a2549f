"""Functions made for these tests, declared as the product's are."""

from typing import Any

import msgspec

from shared.edge import Answer, Cached, Form, Request, endpoint, task
from shared.errors import Conflict, DependencyUnavailable

CALLS: list[Any] = []


class Word(msgspec.Struct):
    word: str


class StrictWord(msgspec.Struct, forbid_unknown_fields=True):
    word: str


class Told(msgspec.Struct):
    calls: int
    word: str


@task("background", queue="matching")
def background(request: Request[Word]) -> None:
    CALLS.append(request.body.word)


words = endpoint("words", "/words")


@words.post(role="public", answers={201: Told})
def write_word(request: Request[StrictWord]) -> Told:
    """Counts its runs, and fails in the way that the word says."""
    CALLS.append(request.body.word)
    if request.body.word == "broken":
        raise RuntimeError("the secret path /srv/private is broken")
    if request.body.word == "away":
        raise DependencyUnavailable("Come back.")
    if request.body.word == "taken":
        raise Conflict("It is taken.")
    return Told(len(CALLS), request.body.word)


@words.get(role="public")
def read_words(request: Request) -> Answer[str]:  # noqa: ARG001 - a handler takes the request
    return Answer("[" + ",".join(['"word"'] * 1000) + "]")


uploads = endpoint("uploads", "/uploads")


@uploads.post(role="public", limit="heavy", large=True)
def upload(request: Request[StrictWord | Form]) -> dict[str, int]:
    if isinstance(request.body, Form):
        return {name: len(file.content) for name, file in request.body.files.items()}
    return {"word": len(request.body.word)}


stream = endpoint("stream", "/stream")


@stream.get(role="admin", ticket="classify")
def read_stream(request: Request) -> dict[str, str]:
    return {"uid": request.session.uid if request.session else ""}


@stream.post(role="super_admin", ticket="classify")
def steer_stream(request: Request[StrictWord]) -> dict[str, str]:
    return {"word": request.body.word}


signing_in = endpoint("signing_in", "/signing-in")


@signing_in.post(role="public", limit="authentication", csrf=False)
def sign_in(request: Request) -> dict[str, str]:
    return {"address": request.actor.address}


listing = endpoint("listing", "/listing")


@listing.get(role="admin", cached=Cached("toys", ttl_seconds=60))
def read_listing(request: Request) -> dict[str, int]:  # noqa: ARG001 - a handler takes the request
    CALLS.append("listing")
    return {"calls": len(CALLS)}
