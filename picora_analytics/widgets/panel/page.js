// What the panel needs of the page beside its controls: its keys stay in it, its theme is known, what is pressed says so.

export default {
  render({ model, el }) {
    const stop = (event) => {
      const save = (event.ctrlKey || event.metaKey) && event.key === "s";
      if (event.key === "Tab" || save) return;
      event.stopPropagation();
      if (event.key === "Escape") event.target.closest(".pc-pop")?.querySelector(".pc-close")?.click();
    };
    let panel = null, frame = 0;
    const tidy = () => {
      // ipywidgets' Image has no alternative text; what it shows is said beside it.
      for (const image of panel.querySelectorAll("img:not([alt])")) image.alt = "";
      for (const one of panel.querySelectorAll(".widget-toggle-button")) {
        const on = String(one.classList.contains("mod-active"));
        if (one.getAttribute("aria-pressed") !== on) one.setAttribute("aria-pressed", on);
      }
      for (const one of panel.querySelectorAll(".pc-field")) {
        const input = one.querySelector("input, select");
        const wrong = String(one.classList.contains("pc-bad"));
        if (input && input.getAttribute("aria-invalid") !== wrong) input.setAttribute("aria-invalid", wrong);
      }
    };
    const theme = () => panel?.classList.toggle("pg-dark", isDark(panel.parentElement ?? panel));
    const changed = new MutationObserver(tidy);
    const themes = new MutationObserver(theme);
    const wants = matchMedia("(prefers-color-scheme: dark)");
    const hear = (content) => {
      if (content.type === "top") panel?.scrollIntoView({ block: "start" });
    };
    const attach = () => {
      panel = el.closest(".picora-panel");
      if (!panel) { frame = requestAnimationFrame(attach); return; }
      panel.addEventListener("keydown", stop);
      changed.observe(panel, { childList: true, subtree: true, attributes: true, attributeFilter: ["class"] });
      themes.observe(document.body, { attributes: true });
      wants.addEventListener("change", theme);
      model.on("msg:custom", hear);
      theme();
      tidy();
    };
    attach();
    return () => {
      cancelAnimationFrame(frame);
      changed.disconnect();
      themes.disconnect();
      wants.removeEventListener("change", theme);
      model.off("msg:custom", hear);
      panel?.removeEventListener("keydown", stop);
    };
  },
};
