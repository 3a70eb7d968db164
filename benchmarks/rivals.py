"""
Load the library once, in this process, by one of several programs, and print what it took as a line of JSON.

Each is what its users would write: the reading loop of ten lines, the same with requests, dlt's REST source, and ours.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import resource
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

KEY = "sk_live_" + "0" * 32


def ten_lines() -> Callable[[str], Any]:
    """Load by httpx and json_normalize."""
    import httpx
    import pandas as pd

    def load(url: str) -> Any:
        client = httpx.Client(headers={"Authorization": f"Bearer {KEY}"}, trust_env=False)
        images, cursor = [], None
        while True:
            params = {"limit": 100, **({"cursor": cursor} if cursor else {})}
            data = client.get(f"{url}/v1/images", params=params).json()["data"]
            images.extend(data["images"])
            cursor = data["nextCursor"]
            if cursor is None:
                return pd.json_normalize(images)

    return load


def requests_session() -> Callable[[str], Any]:
    """Load by requests, refusals repeated as the service asks."""
    import pandas as pd
    import requests
    from requests.adapters import HTTPAdapter
    from urllib3.util import Retry

    def load(url: str) -> Any:
        session = requests.Session()
        session.trust_env = False
        session.headers["Authorization"] = f"Bearer {KEY}"
        session.mount("http://", HTTPAdapter(max_retries=Retry(status=10, status_forcelist=[429])))
        images, params = [], {"limit": 100}
        while True:
            data = session.get(f"{url}/v1/images", params=params).json()["data"]
            images.extend(data["images"])
            if data["nextCursor"] is None:
                return pd.json_normalize(images)
            params["cursor"] = data["nextCursor"]

    return load


def dlt_rest() -> Callable[[str], Any]:
    """Load by dlt's REST source into a DuckDB file, and read that as a frame."""
    folder = tempfile.mkdtemp(prefix="bench-dlt-")
    os.environ |= {"RUNTIME__DLTHUB_TELEMETRY": "false", "DLT_DATA_DIR": folder}
    import dlt
    import duckdb
    import pandas  # noqa: F401
    from dlt.sources.rest_api import rest_api_source

    def load(url: str) -> Any:
        paginator = {"type": "cursor", "cursor_path": "data.nextCursor", "cursor_param": "cursor"}
        listing = {
            "path": "/v1/images",
            "params": {"limit": 100},
            "data_selector": "data.images",
            "paginator": paginator,
        }
        source = rest_api_source(
            {
                "client": {"base_url": url, "headers": {"Authorization": f"Bearer {KEY}"}},
                "resources": [{"name": "images", "endpoint": listing}],
            }
        )
        file = Path(folder, "images.duckdb")
        pipeline = dlt.pipeline(
            "bench",
            pipelines_dir=folder,
            destination=dlt.destinations.duckdb(str(file)),
            dataset_name="picora",
        )
        pipeline.run(source)
        # dataset().df() fails with the sqlglot that is current.
        with duckdb.connect(str(file)) as connection:
            return connection.sql("SELECT * FROM picora.images").df()

    return load


def picora(store: str | None = None, refresh: str = "auto") -> Callable[[str], Any]:
    """Load by this package."""
    import picora_analytics as pic

    client_class, load_images = pic.Client, pic.load_images  # Imported when first named.

    def load(url: str) -> Any:
        with client_class(KEY, url) as client:
            return load_images(client, store=store, refresh=refresh, progress=False)

    return load


PROGRAMS = {
    "ten_lines": ten_lines,
    "requests_session": requests_session,
    "dlt_rest": dlt_rest,
    "picora": picora,
}


def _cpu() -> float:
    """Seconds of user and system time, of children too."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)


def _peak_mb() -> float:
    """Give this process's own peak; ru_maxrss would begin with the parent's (Linux)."""
    status = Path("/proc/self/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+)", status)[1]) / 1024


def measured(work: Callable[[], Any]) -> dict[str, Any]:
    """Do it, and tell what it took."""
    peak, cpu, start = _peak_mb(), _cpu(), time.perf_counter()
    frame, error = None, None
    try:
        frame = work()
    except Exception as problem:  # A program that dies is a result.
        error = type(problem).__name__
    taken = {
        "wall": time.perf_counter() - start,
        "cpu": _cpu() - cpu,
        "peak_mb": _peak_mb() - peak,
    }
    if frame is not None:
        size = int(frame.memory_usage(deep=True).sum())
        taken |= {"rows": len(frame), "bytes_per_row": size / max(len(frame), 1)}
    return {**taken, "error": error}


def main() -> None:
    """Run one program against a service."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[1])
    parser.add_argument("program", choices=PROGRAMS)
    parser.add_argument("url")
    parser.add_argument("--store", help="ours only: remember in this folder")
    args = parser.parse_args()
    options = {"store": args.store} if args.program == "picora" else {}
    load = PROGRAMS[args.program](**options)
    print(json.dumps(measured(lambda: load(args.url))))


if __name__ == "__main__":
    main()
