"""A POST of JSON, for the modules beside this one. They stand in for the
vendors' clients of the same names, as far as the examples use them, where those
cannot be installed: what goes over the wire is what the real ones send."""
import json
import urllib.request


class Reply:
    """JSON with its members as attributes, as the vendors' clients give it."""

    def __init__(self, value):
        self.__dict__.update({k: wrap(v) for k, v in value.items()})


def wrap(value):
    if isinstance(value, dict):
        return Reply(value)
    if isinstance(value, list):
        return [wrap(v) for v in value]
    return value


def post(url, headers, body, timeout=60):
    request = urllib.request.Request(
        url, json.dumps(body).encode(),
        {"Content-Type": "application/json", **headers})
    with urllib.request.urlopen(request, timeout=timeout) as reply:
        return wrap(json.load(reply))
