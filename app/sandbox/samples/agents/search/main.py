"""Starts the Node agent: for hosts that insist on a Python entry point."""

import os

os.execvp("node", ["node", os.path.join(os.path.dirname(os.path.abspath(__file__)), "server.js")])
