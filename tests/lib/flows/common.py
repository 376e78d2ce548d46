"""What the flows share: frames as dictionaries, and checks that say what came.

Each flow is a client as somebody would write it after the document of its
dialect, with Python's websockets; it leaves with 1 and a sentence if a frame
is not what such a client relies on. The frames that it was sent go to standard
output, one a line, for the test that runs it.
"""
import asyncio
import json
import sys

import websockets

WAIT_S = 60  # far more than an answer takes; only so that nothing hangs


def need(condition, why, what=None):
    if not condition:
        raise AssertionError(why if what is None else f"{why}: {what!r}")


class Peer:
    """A connection that keeps what it was sent."""

    def __init__(self, ws):
        self.ws = ws
        self.frames = []

    async def recv(self):
        text = await asyncio.wait_for(self.ws.recv(), WAIT_S)
        need(isinstance(text, str), "frames are text", text)
        frame = json.loads(text)
        print(json.dumps(frame), flush=True)
        self.frames.append(frame)
        return frame

    async def recv_type(self, name):
        frame = await self.recv()
        need(frame.get("type") == name, f"{name} is due", frame)
        return frame

    async def send(self, frame):
        text = frame if isinstance(frame, str) else json.dumps(frame)
        await self.ws.send(text)

    async def rest(self):
        """Close; what was sent beside what was asked for."""
        await self.ws.close()
        left = []
        while True:
            try:
                left.append(json.loads(await self.ws.recv()))
            except websockets.ConnectionClosed:
                return left


def run(main):
    """main(url, rounds), with the arguments of the program."""
    url = sys.argv[1]
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    try:
        asyncio.run(main(url, rounds))
    except AssertionError as e:
        print(e, file=sys.stderr)
        sys.exit(1)
