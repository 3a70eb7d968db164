"""What a proxy remembers is not what is there now: every request asks for the service's own answer."""

import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

import picora_analytics as pic


class _Cache(BaseHTTPRequestHandler):
    """Answers what it remembers, unless it is asked not to (RFC 9111, 5.2.1.4)."""

    def do_GET(self):
        fresh = "no-cache" in self.headers.get("Cache-Control", "")
        row = {"id": "a", "url": "https://x/a.png", "tags": ["keep"] if fresh else []}
        body = json.dumps({"success": True, "data": row}).encode()
        self.send_response(200)
        self.send_header("Age", "0" if fresh else "300")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


@pytest.fixture
def cache():
    with ThreadingHTTPServer(("127.0.0.1", 0), _Cache) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


def test_a_read_is_answered_by_the_service_and_not_by_what_a_proxy_remembers(cache):
    with pic.Client("sk_live_" + "a" * 32, cache) as client:
        assert client.get_image("a").tags == ("keep",)
