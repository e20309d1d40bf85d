"""An MCP server for tests: what it answers to each message, and two ways to speak to it.

Run as a program it speaks over its pipes; its first argument says how it misbehaves.
"""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

TOOLS = [{"name": "add", "inputSchema": {"type": "object"}}]
FIXED = {
    "tools/list": {"tools": TOOLS},
    "prompts/list": {"prompts": [{"name": "hello"}]},
    "resources/list": {"resources": [{"uri": "file:///a"}]},
    "resources/templates/list": {"resourceTemplates": []},
}


def result_of(message):
    """Return the result of a request, or an error object."""
    method, params = message["method"], message.get("params", {})
    if method == "initialize":
        return {"protocolVersion": params["protocolVersion"], "capabilities": {}, "serverInfo": {"name": "t"}}
    if method == "prompts/get":
        return {"messages": [{"role": "user", "content": {"type": "text", "text": params["name"]}}]}
    if method == "resources/read":
        return {"contents": [{"uri": params["uri"], "text": "content"}]}
    if method == "tools/call":
        return tool(params)
    return FIXED[method]


def tool(params):
    given = params.get("arguments", {})
    if params["name"] == "add":
        total = given["a"] + given["b"]
        return {"content": [{"type": "text", "text": str(total)}], "structuredContent": {"sum": total}}
    if params["name"] == "environment":
        return {"content": [{"type": "text", "text": os.environ.get(given["name"], "absent")}]}
    return {"content": [{"type": "text", "text": "no such tool"}], "isError": True}


def answer(message):
    """Return the answer to a message; None to one that wants none."""
    if "id" not in message or "method" not in message:
        return None
    return {"jsonrpc": "2.0", "id": message["id"], "result": result_of(message)}


def say(message):
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()


def misbehave(how, message):
    """Do what a bad server does when it is asked for the call itself."""
    if how == "dies":
        sys.stderr.write("out of memory, the token was s3cret-token")
        sys.exit(3)
    if how == "garbage":
        sys.stdout.write("Listening on port 80\n")
        sys.stdout.flush()
    if how == "silent":
        time.sleep(600)
    if how == "endless":
        while True:
            sys.stdout.write("x" * 65536)
    if how == "asks":
        say({"jsonrpc": "2.0", "method": "notifications/message", "params": {"level": "info"}})
        say({"jsonrpc": "2.0", "id": 7, "method": "ping"})
        pong = json.loads(sys.stdin.readline())
        say({"jsonrpc": "2.0", "id": 8, "method": "sampling/createMessage"})
        refused = json.loads(sys.stdin.readline())
        say({"jsonrpc": "2.0", "id": message["id"], "result": {"pong": pong, "refused": refused}})
        return
    say(answer(message))


def main():
    how = sys.argv[1] if len(sys.argv) > 1 else ""
    if how == "family":
        # A grandchild that would outlive everybody, and says who it is.
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
        Path(sys.argv[2]).write_text(f"{os.getpid()} {child.pid}")
        how = "silent"
    for line in sys.stdin:
        message = json.loads(line)
        if message.get("method") in ("initialize", "notifications/initialized"):
            reply = answer(message)
            if reply is not None:
                say(reply)
        else:
            misbehave(how, message)


if __name__ == "__main__":
    main()
