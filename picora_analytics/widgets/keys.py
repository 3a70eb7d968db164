"""Keys typed in a panel stay in it: JupyterLab would take them for commands, and `d d` deletes the cell."""

from __future__ import annotations

import anywidget

__all__ = ["KeyGuard"]


class KeyGuard(anywidget.AnyWidget):
    """
    Keep the keys of the element around it, Tab and save excepted, from the notebook.

    Its element is the nearest one with the class ``picora-panel``. Measured in JupyterLab 4.6: with a tick
    box in focus, `d d` deleted the cell of the panel; with this, nothing happens.
    """

    _esm = """
    export default {
      render({ el }) {
        const stop = (event) => {
          const save = (event.ctrlKey || event.metaKey) && event.key === "s";
          if (event.key !== "Tab" && !save) event.stopPropagation();
        };
        let panel = null, frame = 0;
        const attach = () => {
          panel = el.closest(".picora-panel");
          if (panel) panel.addEventListener("keydown", stop);
          else frame = requestAnimationFrame(attach);
        };
        attach();
        return () => { cancelAnimationFrame(frame); panel?.removeEventListener("keydown", stop); };
      },
    };
    """
