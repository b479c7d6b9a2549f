"""The least that functions-framework can serve: what every start is measured against."""

import flask


def hello(request: flask.Request) -> str:  # noqa: ARG001 - a handler takes the request
    return "hello"
