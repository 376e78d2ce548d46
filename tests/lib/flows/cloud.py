"""The cloud-chat document: wait until the server is ready, ask for the context
of a message, and take it to a model of one's own, here one that only counts."""
import asyncio
import json

import websockets

from common import WAIT_S, Peer, need, run

MEMBERS = {"system_prompt", "rag_context", "relevant_files", "file_details",
           "image_context", "user_message", "history"}


async def ready(peer):
    while True:
        frame = await peer.recv()
        need("error" not in frame["type"], "no error", frame)
        if "ready" in frame["message"].lower():
            return


async def context(url, request):
    """The context of one request, as all examples of the document get it."""
    async with websockets.connect(url, ping_interval=20,
                                  ping_timeout=10) as ws:
        peer = Peer(ws)
        await ready(peer)
        await peer.send(request)
        data = None
        async for message in ws:
            frame = json.loads(message)
            print(json.dumps(frame), flush=True)
            need(isinstance(frame.get("message"), str), "a message", frame)
            if frame["type"] == "result":
                data = frame["data"]
                break
            need(frame["type"] == "status", "no error", frame)
        need(data is not None, "a result")
        # The server ends it.
        await asyncio.wait_for(ws.wait_closed(), WAIT_S)
        need(ws.close_code == 1000, "closed as it should", ws.close_code)
        return data


def check(data, message, history):
    need(MEMBERS <= set(data), "all members", data)
    need(isinstance(data["system_prompt"], str) and data["system_prompt"],
         "a system prompt", data)
    need(isinstance(data["rag_context"], str), "a text", data)
    need([d["fileName"] for d in data["file_details"]] ==
         data["relevant_files"], "the same files", data)
    need(data["image_context"] is None, "no image", data)
    need(data["user_message"] == message, "the message", data)
    need(data["history"] == history, "the history", data)


class Bot:
    """Keeps its own history and asks its own model."""

    def __init__(self, url):
        self.url = url
        self.history = []

    async def chat(self, message):
        data = await context(self.url, {"message": message,
                                        "history": self.history})
        check(data, message, self.history)
        messages = [{"role": "system", "content": data["system_prompt"]},
                    *self.history, {"role": "user", "content": message}]
        reply = f"{len(messages)} messages"
        self.history += [{"role": "user", "content": message},
                         {"role": "assistant", "content": reply}]


async def refused(url):
    """Errors are told, and the connection can still be used."""
    async with websockets.connect(url) as ws:
        peer = Peer(ws)
        await ready(peer)
        for request, sentence in [
                ({"message": "", "history": []}, "No message provided"),
                ({"history": []}, "No message provided"),
                ({"message": "Tell me about this photo",
                  "image_name": "beach_sunset.jpg", "history": []},
                 "File not found: beach_sunset.jpg"),
                ({"message": "a", "history": "b"}, "Invalid history"),
                ({"message": "a", "history": [{"role": "robot",
                                               "content": "b"}]},
                 "Invalid history"),
                ("not JSON", "Invalid message format")]:
            await peer.send(request)
            frame = await peer.recv()
            need(set(frame) == {"type", "message"}, "two members", frame)
            need(frame["type"] == "error", "an error", frame)
            need(frame["message"].startswith(sentence), sentence, frame)
        await peer.send({"message": "What photos do I have?"})
        while (await peer.recv())["type"] == "status":
            pass
        need(peer.frames[-1]["type"] == "result", "a result", peer.frames[-1])


async def local(url):
    """/api/chat: the same request, answered here."""
    data = await context(url, {"message": "What is Parley?", "history": [
        {"role": "user", "content": "Hello"},
        {"role": "assistant", "content": "Hi"}]})
    need(data["user_message"] == "What is Parley?", "the message", data)
    need("Parley" in data["response"], "an answer", data)


async def main(url, rounds):
    for _ in range(rounds):
        data = await context(url, {"message": "What beach photos do I have?"})
        check(data, "What beach photos do I have?", [])
        bot = Bot(url)
        for question in ("What photos do I have from 2024?",
                         "Show me the beach ones", "Which have sunsets?"):
            await bot.chat(question)
        await refused(url)
        await local(url.replace("cloud-chat", "chat"))


run(main)
