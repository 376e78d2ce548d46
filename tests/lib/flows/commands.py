"""The commands document: {"message"} out, one frame back for each."""
import websockets

from common import Peer, need, run

CONTEXT = "You are a financial advisor with expertise in retirement planning."


def is_command(frame, name, status="success"):
    need(set(frame) == {"type", "command", "result"}, "three members", frame)
    need(frame["type"] == "command_response", "a command's result", frame)
    need(frame["command"] == name, f"of {name}", frame)
    need(frame["result"]["status"] == status, f"with {status}", frame)
    return frame["result"]


async def ask(peer, message):
    await peer.send({"message": message})
    return await peer.recv()


async def say(peer, message):
    frame = await ask(peer, message)
    need(set(frame) == {"type", "content"}, "two members", frame)
    need(frame["type"] == "message" and frame["content"], "an answer", frame)


async def commands(peer):
    result = is_command(await ask(peer, "/help"), "help")
    names = {c["name"] for c in result["commands"]}
    need({"help", "clear", "summarize", "analyze", "translate", "setcontext",
          "getcontext", "clearcontext"} <= names, "all commands", names)
    result = is_command(await ask(peer, "/summarize"), "summarize")
    need(result["summary"], "a summary", result)
    is_command(await ask(peer, '/analyze text="What a lovely day in Rome!"'),
               "analyze")
    is_command(await ask(peer, f'/setcontext text="{CONTEXT}"'), "setcontext")
    result = is_command(await ask(peer, "/getcontext"), "getcontext")
    need(result["context"] == CONTEXT, "the context that was set", result)
    is_command(await ask(peer, "/clearcontext"), "clearcontext")
    result = is_command(await ask(peer, "/getcontext"), "getcontext")
    need(result["context"] == "", "none any more", result)
    # Without a model there is nobody who translates; it is a result anyhow.
    frame = await ask(peer, '/translate text="Hello" target_language="Spanish"')
    need(frame["type"] == "command_response", "a result", frame)
    need(frame["command"] == "translate", "of translate", frame)
    is_command(await ask(peer, "/nosuchcommand"), "nosuchcommand", "error")
    is_command(await ask(peer, "/clear"), "clear")


async def mistakes(peer):
    for wrong in ("not JSON", "[]", "{}", {"message": ""}, {"message": 5},
                  {"type": "chat", "message": "hello"}):
        await peer.send(wrong)
        frame = await peer.recv()
        need(set(frame) == {"type", "message"}, "two members", frame)
        need(frame["type"] == "error" and frame["message"], "an error", frame)


async def main(url, rounds):
    async with websockets.connect(url) as ws:
        peer = Peer(ws)
        await peer.recv_type("connection_established")
        for _ in range(rounds):
            await say(peer, "What is Parley? I would like to know it.")
            await say(peer, "And how is it configured?")
            await commands(peer)
            await mistakes(peer)
        # Several at once: each has its frame, in order.
        for i in range(4):
            await peer.send({"message": f"/title text=t{i}"})
        for i in range(4):
            result = is_command(await peer.recv(), "title")
            need(result["title"] == f"t{i}", "in order", result)
        need(await peer.rest() == [], "no frame that nobody asked for")


run(main)
