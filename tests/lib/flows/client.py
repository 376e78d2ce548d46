"""The client-examples document: a client with handlers for messages, errors and
the session, which authenticates, chats, looks at the history and leaves."""
import asyncio

import websockets

from common import Peer, need, run

AUTH = [
    {"auth_type": "bearer_token", "token": "your-token"},
    {"auth_type": "api_key", "api_key": "your-key",
     "api_key_header": "X-API-Key"},
    {"auth_type": "api_key", "api_key": "your-key",
     "api_key_header": "Authorization"},
    {"auth_type": "basic_auth", "username": "user", "password": "pass"},
]
REFUSED = [
    {"auth_type": "magic"},
    {"auth_type": "bearer_token"},
    {"auth_type": "basic_auth", "username": "user"},
    # No host is allowed unless the server's settings name it.
    {"auth_type": "oauth2", "client_id": "id", "client_secret": "secret",
     "token_url": "https://oauth.example.com/token", "scope": "read write"},
    {"auth_type": "oauth2", "client_id": "id", "client_secret": "secret",
     "token_url": "https://169.254.169.254/latest/", "scope": ""},
]
SECRETS = ("your-token", "your-key", "secret")
MEMBERS = {"type", "message", "tool_calls", "tool_results", "timestamp",
           "message_id", "provider", "model", "usage"}


class Client:
    def __init__(self, url):
        self.url = url
        self.session_id = None
        self.peer = None

    async def connect(self):
        ws = await websockets.connect(self.url, max_size=100 * 1024 * 1024)
        self.peer = Peer(ws)
        frame = await self.peer.recv_type("connection_established")
        need(set(frame) == {"type", "session_id", "message", "timestamp"},
             "a greeting", frame)
        self.session_id = frame["session_id"]

    async def authenticate(self, credentials, expected):
        await self.peer.send({"type": "auth", **credentials})
        frame = await self.peer.recv_type("auth_response")
        need(set(frame) == {"type", "success", "message"}, "members", frame)
        need(frame["success"] is expected, f"success {expected}", frame)
        need(not any(s in frame["message"] for s in SECRETS), "no secret")

    async def send_chat_message(self, text):
        await self.peer.send({"type": "chat", "message": text})
        frame = await self.peer.recv_type("typing")
        need(set(frame) == {"type", "message", "timestamp"}, "members", frame)
        frame = await self.peer.recv_type("ai_response")
        need(set(frame) == MEMBERS, "members", frame)
        need(frame["message"], "a text", frame)
        need(frame["tool_calls"] == [] and frame["tool_results"] == [],
             "no tools", frame)
        return frame["message"]

    async def get_history(self, kind="history"):
        await self.peer.send({"type": kind})
        return (await self.peer.recv_type("history"))["messages"]

    async def clear_history(self, kind="clear"):
        await self.peer.send({"type": kind})
        await self.peer.recv_type("history_cleared")

    async def ping(self):
        await self.peer.send({"type": "ping"})
        await self.peer.recv_type("pong")

    async def logout(self):
        await self.peer.send({"type": "logout"})
        await self.peer.recv_type("logout_success")

    async def error(self, frame):
        await self.peer.send(frame)
        told = await self.peer.recv_type("error")
        need(told["message"], "a sentence", told)

    async def disconnect(self):
        need(await self.peer.rest() == [], "no frame that nobody asked for")


async def conversation(client, kinds):
    questions = ["What is Parley?", "Can you give me an example?",
                 "How is it configured?"]
    answers = [await client.send_chat_message(q) for q in questions]
    messages = await client.get_history(kinds[0])
    need([m["role"] for m in messages] == ["user", "assistant"] * 3, "pairs",
         messages)
    need([m["content"] for m in messages[::2]] == questions, "what was asked",
         messages)
    need([m["content"] for m in messages[1::2]] == answers,
         "what was answered", messages)
    await client.clear_history(kinds[1])
    need(await client.get_history() == [], "nothing is left")


async def main(url, rounds):
    client = Client(url)
    await client.connect()
    for _ in range(rounds):
        await client.ping()
        for credentials in AUTH:
            await client.authenticate(credentials, True)
        for credentials in REFUSED:
            await client.authenticate(credentials, False)
        await conversation(client, ("history", "clear"))
        await conversation(client, ("get_history", "clear_history"))
        for wrong in ("not JSON", {"type": "chat"}, {"type": "nothing"},
                      {"type": "chat", "message": ["a"]}, {"message": "a"}):
            await client.error(wrong)
        await client.ping()
        await client.logout()
    first = await client.send_chat_message("What is Parley?")
    # A reconnect goes on in the same session.
    await client.disconnect()
    again = Client(f"{url}?session_id={client.session_id}")
    await again.connect()
    need(again.session_id == client.session_id, "the same session")
    messages = await again.get_history()
    need([m["content"] for m in messages] == ["What is Parley?", first],
         "its conversation", messages)
    await again.disconnect()
    # Several messages without waiting are answered one after another.
    other = Client(url)
    await other.connect()
    for text in ("one", "two", "three"):
        await other.peer.send({"type": "chat", "message": text})
    types = [(await other.peer.recv())["type"] for _ in range(6)]
    need(types == ["typing", "ai_response"] * 3, "in order", types)
    await other.disconnect()
    await asyncio.sleep(0)


run(main)
