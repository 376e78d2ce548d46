"""Stands in for Google's client: see wire.py."""
import os
from types import SimpleNamespace

from wire import post

_key = None


def configure(api_key):
    global _key
    _key = api_key


class GenerativeModel:
    def __init__(self, name):
        self.name = name

    def generate_content(self, prompt):
        reply = post(f"{os.environ['GEMINI_BASE_URL']}/v1beta/models/"
                     f"{self.name}:generateContent", {"x-goog-api-key": _key},
                     {"contents": [{"role": "user",
                                    "parts": [{"text": prompt}]}]})
        parts = reply.candidates[0].content.parts
        return SimpleNamespace(text="".join(p.text for p in parts))
