"""Stands in for OpenAI's client: see wire.py."""
import os
from types import SimpleNamespace

from wire import post


class OpenAI:
    def __init__(self):
        self.key = os.environ["OPENAI_API_KEY"]
        self.url = os.environ["OPENAI_BASE_URL"]
        self.chat = SimpleNamespace(
            completions=SimpleNamespace(create=self._create))

    def _create(self, *, timeout=60, **body):
        return post(f"{self.url}/chat/completions",
                    {"Authorization": f"Bearer {self.key}"}, body, timeout)
