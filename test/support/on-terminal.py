"""Runs a program on a pseudo-terminal. Arguments: a JSON list of steps, then the command.

Steps: {"until": TEXT} waits for output, {"resize": [COLUMNS, ROWS]}, {"send": TEXT} types. Prints JSON: the exit code, and the
output and the resizes in their order.
"""
import fcntl, json, os, pty, select, signal, struct, sys, termios, time

steps = json.loads(sys.argv[1])
events = []
pid, terminal = pty.fork()
if pid == 0:
    # The parent sets the size first.
    time.sleep(0.05)
    os.execvp(sys.argv[2], sys.argv[2:])


def resize(columns, rows):
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    events.append({"columns": columns})


def read(seconds):
    """False at the end of the output."""
    if not select.select([terminal], [], [], seconds)[0]:
        return True
    try:
        data = os.read(terminal, 65536)
    except OSError:
        return False
    if data:
        events.append({"output": data.hex()})
    return bool(data)


def output():
    return b"".join(bytes.fromhex(event["output"]) for event in events if "output" in event)


deadline = time.monotonic() + 25
seen = 0
alive = True
resize(100, 30)
for step in steps:
    if "until" in step:
        wanted = step["until"].encode()
        while alive and wanted not in output()[seen:] and time.monotonic() < deadline:
            alive = read(0.2)
        while alive and select.select([terminal], [], [], 0)[0]:
            alive = read(0)
        seen = len(output())
    elif "resize" in step:
        resize(*step["resize"])
        os.kill(pid, signal.SIGWINCH)
    else:
        os.write(terminal, step["send"].encode())
while alive and time.monotonic() < deadline:
    alive = read(0.2)
if alive:
    os.kill(pid, signal.SIGKILL)
code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
print(json.dumps({"code": code, "events": events}))
