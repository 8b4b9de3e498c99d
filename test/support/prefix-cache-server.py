"""A chat server with a cache of prompts by prefix, in blocks of 16 tokens: a witness that shares no code with streambench.

A miss takes 1000 ms to its first token, a prompt that is wholly cached 61 ms, and what is partly cached its share of both.
A token is a word of the prompt. The cached ones are told in the usage, as OpenAI and vLLM tell them. Prints its port.
"""

import json
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

MISS_S, HIT_S = (float(argument) / 1000 for argument in (sys.argv[1:3] or ("1000", "61")))
BLOCK = 16
known = set()
lock = threading.Lock()


def look_up(tokens):
    """Tokens that are cached; afterwards all full blocks are. The last token is always computed, so its block never is."""
    cached, unbroken, key = 0, True, ()
    with lock:
        for end in range(BLOCK, len(tokens), BLOCK):
            key = hash((key, tuple(tokens[end - BLOCK : end])))
            unbroken = unbroken and key in known
            if unbroken:
                cached = end
            known.add(key)
    return cached


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *_):
        pass

    def write(self, text):
        data = text.encode()
        self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
        self.wfile.flush()

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        tokens = [word for message in body["messages"] for word in message["content"].split()]
        cached = look_up(tokens)
        share = cached / max(1, len(tokens))
        time.sleep(MISS_S * (1 - share) + HIT_S * share)
        usage = {
            "prompt_tokens": len(tokens),
            "completion_tokens": 3,
            "total_tokens": len(tokens) + 3,
            "prompt_tokens_details": {"cached_tokens": cached},
        }
        if not body.get("stream"):
            message = {"role": "assistant", "content": "one two three"}
            answer = {"choices": [{"index": 0, "message": message, "finish_reason": "stop"}], "usage": usage}
            data = json.dumps(answer).encode()
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)
            return
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        for word in ("one ", "two ", "three"):
            choice = {"index": 0, "delta": {"content": word}, "finish_reason": None}
            self.write("data: %s\n\n" % json.dumps({"choices": [choice]}))
            time.sleep(0.005)
        self.write("data: %s\n\n" % json.dumps({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}))
        self.write("data: %s\n\n" % json.dumps({"choices": [], "usage": usage}))
        self.write("data: [DONE]\n\n")
        self.wfile.write(b"0\r\n\r\n")


server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
server.daemon_threads = True
print(server.server_port, flush=True)
server.serve_forever()
