"""Let time pass for a journal, which takes no clock but the machine's own."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from pathlib import Path


def age(journal: Path, by: dt.timedelta) -> None:
    """Date a journal back; what a death cut off stays cut off."""
    whole, _, rest = journal.read_bytes().rpartition(b"\n")
    chain, aged = "", b""
    for line in map(json.loads, whole.splitlines()):
        del line["chain"]
        line["at"] = (dt.datetime.fromisoformat(line["at"]) - by).isoformat()
        body = json.dumps(line, separators=(",", ":"), ensure_ascii=False).encode()
        chain = hashlib.blake2b(chain.encode() + body, digest_size=16).hexdigest()
        aged += body[:-1] + b',"chain":"' + chain.encode() + b'"}\n'
    journal.write_bytes(aged + rest)
