"""Stands in for Anthropic's client: see wire.py."""
import os
from types import SimpleNamespace

from wire import post


class Anthropic:
    def __init__(self):
        self.key = os.environ["ANTHROPIC_API_KEY"]
        self.url = os.environ["ANTHROPIC_BASE_URL"]
        self.messages = SimpleNamespace(create=self._create)

    def _create(self, **body):
        return post(f"{self.url}/v1/messages",
                    {"x-api-key": self.key,
                     "anthropic-version": "2023-06-01"}, body)
