// @ts-check
// What the panel needs of the page: its keys stay in it, pictures are passed over, colours follow the theme, and it
// says so when no kernel answers any more.

const GONE = ["dead", "terminating", "restarting", "autorestarting"];

class Guard {
  /**
   * @param {any} model
   * @param {HTMLElement} el
   * @param {AbortSignal} signal
   */
  constructor(model, el, signal) {
    this.el = el;
    this.signal = signal;
    this.frame = 0;
    // JupyterLab lets go of a widget when its kernel is restarted, and tells its state otherwise.
    const die = () => this.die();
    model.on("comm_live_update", die);
    const top = () => this.panel?.scrollIntoView({ block: "start" });
    model.on("change:mode", top);
    const kernel = model.widget_manager?.kernel;
    const told = (/** @type {unknown} */ _, /** @type {string} */ status) => GONE.includes(status) && die();
    kernel?.statusChanged?.connect?.(told);
    signal.addEventListener("abort", () => {
      cancelAnimationFrame(this.frame);
      model.off("comm_live_update", die);
      model.off("change:mode", top);
      kernel?.statusChanged?.disconnect?.(told);
    });
    this.attach();
  }

  attach() {
    const { signal } = this;
    const panel = /** @type {HTMLElement | null} */ (this.el.closest(".picora-panel"));
    if (!panel) {
      this.frame = requestAnimationFrame(() => this.attach()); // The element is in the page only later.
      return;
    }
    this.panel = panel;
    panel.addEventListener("keydown", (event) => {
      const save = (event.ctrlKey || event.metaKey) && event.key === "s";
      if (event.key !== "Tab" && !save) event.stopPropagation();
    }, { signal });
    const name = () => {
      for (const image of panel.querySelectorAll("img:not([alt])")) image.setAttribute("alt", "");
    };
    const added = new MutationObserver(name);
    added.observe(panel, { childList: true, subtree: true });
    name();
    const theme = () => panel.classList.toggle("pg-dark", isDark(panel.parentElement ?? panel));
    const themes = new MutationObserver(theme);
    themes.observe(document.body, { attributes: true });
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", theme, { signal });
    theme();
    signal.addEventListener("abort", () => {
      added.disconnect();
      themes.disconnect();
    });
  }

  /** Make everything inert but the words that say why. */
  die() {
    this.panel?.classList.add("pm-dead");
    for (const one of this.panel?.children ?? []) {
      const dead = one.querySelector(".pm-if-dead");
      if (dead) for (const part of one.children) part.toggleAttribute("inert", !part.matches(".pm-if-dead"));
      else one.setAttribute("inert", "");
    }
  }
}

export default {
  /** @param {{ model: any, el: HTMLElement, signal: AbortSignal }} given */
  render({ model, el, signal }) {
    new Guard(model, el, signal);
  },
};
