"""Runs a program as it stands, but for where it connects: what it says of
ws://localhost:8000 means the server that is being tested.

    python3 example.py PROGRAM ws://127.0.0.1:PORT
"""
import runpy
import sys

import websockets

connect = websockets.connect
program, url = sys.argv[1:]


def connect_there(uri, *args, **kwargs):
    return connect(uri.replace("ws://localhost:8000", url), *args, **kwargs)


websockets.connect = connect_there
sys.argv = [program]
runpy.run_path(program, run_name="__main__")
