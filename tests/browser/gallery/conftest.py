"""
A page that hosts one gallery without a notebook: the real module, the real widget, and messages in between.

A page is open in a tenth of the time of JupyterLab, so that gestures are tried here, and notebooks only where they
matter.
"""

from __future__ import annotations

import base64
import html
import queue
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import comm
import pytest
from comm.base_comm import BaseComm
from playwright.sync_api import Browser, Error, Page

from picora_analytics.widgets.gallery.gallery import ImageGallery

_PAGE = """<!doctype html><html><body data-jp-theme-light="{light}" style="margin:0;padding:12px;background:{back};
--jp-layout-color1:{paper};--jp-ui-font-color1:{ink}"><div id="host"></div><div id="again"></div></body></html>"""
# The webview of a notebook in VS Code: an iframe, coloured by variables of its own, whose rules are its setting
# notebook.experimental.enableCsp (off unless somebody turns it on).
_WEBVIEW = """<!doctype html><html><body style="margin:0;background:#1e1e1e"><iframe style="border:0;width:100%;
height:900px" sandbox="allow-scripts allow-same-origin allow-forms allow-pointer-lock allow-downloads"
srcdoc="{inside}"></iframe>"""
_INSIDE = """<!doctype html><html style="--vscode-editor-background:#1e1e1e;--vscode-editor-foreground:#d4d4d4;
--vscode-font-family:sans-serif"><head>{rules}</head><body class="vscode-dark" data-vscode-theme-kind="vscode-dark"
style="background:transparent;color:var(--vscode-editor-foreground)">{preview}<div id="host"></div></body></html>"""
RULES = """<meta http-equiv="Content-Security-Policy" content="default-src 'none'; script-src 'self'
https://*.vscode-cdn.net 'unsafe-inline' 'unsafe-eval'; style-src 'self' https://*.vscode-cdn.net 'unsafe-inline';
img-src 'self' https://*.vscode-cdn.net https: http: data:; connect-src https:; child-src https: data:;">"""
_MODEL = """
async ({ esm, css, state }) => {
  const style = document.createElement("style");
  style.textContent = css;
  document.head.append(style);
  const module = await import(URL.createObjectURL(new Blob([esm], { type: "text/javascript" })));
  const listeners = new Map();
  const tell = (name, ...rest) => (listeners.get(name) ?? []).slice().forEach((act) => act(...rest));
  const model = {
    get: (name) => state[name],
    on: (name, act) => listeners.set(name, [...(listeners.get(name) ?? []), act]),
    off: (name, act) => listeners.set(name, (listeners.get(name) ?? []).filter((one) => one !== act)),
    send: (content) => window.toKernel(content),
  };
  window.hear = (messages) => {
    for (const { method, data, buffers } of messages) {
      const parts = buffers.map((one) => {
        const whole = atob(one), bytes = new Uint8Array(whole.length);
        for (let i = 0; i < whole.length; i++) bytes[i] = whole.charCodeAt(i);
        return new DataView(bytes.buffer);
      });
      if (method === "custom") tell("msg:custom", data, parts);
      else {
        Object.assign(state, data);
        for (const name of Object.keys(data)) tell(`change:${name}`);
      }
    }
  };
  const poll = async () => {
    window.hear(await window.fromKernel());
    window.setTimeout(poll, 10);
  };
  poll();
  window.abort = new AbortController();
  const show = (id) =>
    module.default.render({ model, el: document.querySelector(id), signal: window.abort.signal });
  show("#host");
  window.again = () => void show("#again"); // Playwright would call what it returns.
}
"""


class _Wire(BaseComm):
    """The kernel's end of the connection."""

    def __init__(self, **options: Any) -> None:
        self.sent: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
        super().__init__(**options)

    def publish_msg(
        self, msg_type: str, data: Any = None, metadata: Any = None, buffers: Any = None, **_: Any
    ) -> None:
        if msg_type != "comm_msg":
            return
        content = data["content"] if data["method"] == "custom" else data["state"]
        parts = [base64.b64encode(one).decode("ascii") for one in buffers or ()]
        self.sent.put({"method": data["method"], "data": content, "buffers": parts})


@dataclass
class Hosted:
    """A gallery in a page, and what the page said to it."""

    page: Page
    gallery: ImageGallery
    said: list[dict[str, Any]] = field(default_factory=list)
    heard: list[dict[str, Any]] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    refused: str = ""
    """What the page said where it did not take the module."""

    @property
    def cells(self) -> Any:
        """The cells in the page."""
        return self.page.locator(".pg-c:visible")


def _host(
    page: Page, make: Callable[[], ImageGallery], *, dark: bool = False, webview: str | None = None
) -> Hosted:
    before, wires = comm.create_comm, []

    def create(**options: Any) -> _Wire:
        wires.append(_Wire(**options))
        return wires[-1]

    comm.create_comm = create
    try:
        gallery = make()
    finally:
        comm.create_comm = before
    (wire,) = (one for one in wires if one.comm_id == gallery.comm.comm_id)
    hosted = Hosted(page, gallery)

    def to_kernel(content: dict[str, Any]) -> None:
        hosted.said.append(content)
        gallery._handle_custom_msg(content, [])

    def from_kernel() -> list[dict[str, Any]]:
        found = []
        while not wire.sent.empty():
            found.append(wire.sent.get())
        hosted.heard.extend(found)
        return found

    page.on("pageerror", lambda error: hosted.errors.append(str(error)))
    page.on("console", lambda one: hosted.errors.append(one.text) if one.type == "error" else None)
    page.expose_function("toKernel", to_kernel)
    page.expose_function("fromKernel", from_kernel)
    names = ("light", "back", "paper", "ink")
    light = ("true", "#fff", "#fff", "rgba(0,0,0,.87)")
    colours = ("false", "#111", "#212121", "rgba(255,255,255,.87)") if dark else light
    frame = page.main_frame
    if webview is None:
        page.set_content(_PAGE.format(**dict(zip(names, colours, strict=True))))
    else:
        inside = _INSIDE.format(
            rules=RULES if webview == "strict" else "", preview=gallery._preview()
        )
        page.set_content(_WEBVIEW.format(inside=html.escape(inside)))
        (frame,) = frame.child_frames
        frame.locator("#host").wait_for(state="attached")
    names = ("proto", "mode", "facts", "view", "first", "choice")
    state = {name: getattr(gallery, name) for name in names}
    given = {"esm": str(gallery._esm), "css": str(gallery._css), "state": state}
    try:
        frame.evaluate(_MODEL, given)
    except Error as error:
        if webview != "strict":
            raise
        hosted.refused = str(error)
    return hosted


@pytest.fixture
def host(browser: Browser) -> Iterator[Callable[..., Hosted]]:
    """Give what shows a gallery, made by a function, in a page of its own; none may end with an error."""
    opened: list[Hosted] = []

    def host_(
        make: Callable[[], ImageGallery],
        *,
        width: int = 1124,
        height: int = 920,
        dark: bool = False,
        webview: str | None = None,
    ) -> Hosted:
        page = browser.new_page(viewport={"width": width, "height": height})
        page.set_default_timeout(90_000)
        opened.append(_host(page, make, dark=dark, webview=webview))
        return opened[-1]

    yield host_
    for one in opened:
        one.page.close()
    assert [error for one in opened if not one.refused for error in one.errors] == []
