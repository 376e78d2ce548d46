"""The streaming service's document: chat_message with the client's own history,
and an answer that comes in pieces."""
import websockets

from common import Peer, need, run


async def answer(peer):
    """The text of one answer; its pieces are what it is whole."""
    frame = await peer.recv_type("response_start")
    need(frame["turn_id"] and frame["session_id"], "whose it is", frame)
    text, seq = "", frame["seq"]
    while True:
        frame = await peer.recv()
        need(frame["seq"] > seq, "in order", frame)
        seq = frame["seq"]
        if frame["type"] == "response_chunk":
            text += frame["content"]
        else:
            need(frame["type"] == "response_complete", "the end", frame)
            need(frame["content"] == text != "", "all of it", frame)
            return text


async def chat(peer, text, history):
    await peer.send({"type": "chat_message",
                     "message": {"content": text, "role": "user"},
                     "history": history})
    reply = await answer(peer)
    history += [{"role": "user", "content": text},
                {"role": "assistant", "content": reply}]


async def main(url, rounds):
    # No greeting: the first frame answers the first message.
    async with websockets.connect(url) as ws:
        peer = Peer(ws)
        history = []
        for _ in range(rounds):
            await peer.send({"type": "ping"})
            await peer.recv_type("pong")
            await chat(peer, "Hello, AI!", history)
            await chat(peer, "What is Parley?", history)
            await peer.send({"content": "How is it configured?"})
            await answer(peer)
            for wrong in ("not JSON", {"type": "chat_message"},
                          {"type": "nothing"}, {"type": "chat", "message": "a"},
                          {"type": "chat_message", "message": {"content": "a"},
                           "history": [{"role": "robot", "content": "b"}]}):
                await peer.send(wrong)
                frame = await peer.recv_type("error")
                need(frame["message"], "a sentence", frame)
        need(await peer.rest() == [], "no frame that nobody asked for")


run(main)
