"""Does what it is told, a JSON array a line: the name of a method and its arguments. Answers with a JSON value."""

import json
import sys


def serve(peer):
    for line in sys.stdin:
        name, *arguments = json.loads(line)
        try:
            answer = {"ok": getattr(peer, name)(*arguments)}
        except Exception as error:
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), flush=True)
