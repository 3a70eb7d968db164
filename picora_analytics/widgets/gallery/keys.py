"""What a panel needs of the page: its keys stay in it, and its pictures are named by their ticks."""

from __future__ import annotations

import anywidget

__all__ = ["KeyGuard"]


class KeyGuard(anywidget.AnyWidget):
    """
    Keep the keys of the element around it, Tab and save excepted, from the notebook.

    Its element is the nearest one with the class ``picora-panel``. Measured in JupyterLab 4.6: with a tick
    box in focus, `d d` deleted the cell of the panel; with this, nothing happens.

    It also tells screen readers to pass over the pictures there, as the tick below each says its name:
    ipywidgets' Image has no alternative text.
    """

    _esm = """
    export default {
      render({ el }) {
        const stop = (event) => {
          const save = (event.ctrlKey || event.metaKey) && event.key === "s";
          if (event.key !== "Tab" && !save) event.stopPropagation();
        };
        let panel = null, frame = 0;
        const name = () => {
          for (const image of panel.querySelectorAll("img:not([alt])")) image.alt = "";
        };
        const added = new MutationObserver(name);
        const attach = () => {
          panel = el.closest(".picora-panel");
          if (!panel) { frame = requestAnimationFrame(attach); return; }
          panel.addEventListener("keydown", stop);
          added.observe(panel, { childList: true, subtree: true });
          name();
        };
        attach();
        return () => {
          cancelAnimationFrame(frame);
          added.disconnect();
          panel?.removeEventListener("keydown", stop);
        };
      },
    };
    """
