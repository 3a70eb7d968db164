// @ts-check
// What the panel needs of the page: its keys stay in it, pictures are passed over, colours follow the theme, and it
// says so when no kernel answers any more.

const GONE = ["dead", "terminating", "restarting", "autorestarting"];

const SETTLING = 200; // Milliseconds.

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
    const top = () => {
      const show = () => this.panel?.scrollIntoView({ block: "start" });
      show();
      setTimeout(show, SETTLING); // What takes the focus then scrolls once more.
    };
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
    keepKeys(panel, signal, (event) => {
      if (event.key === "Escape") this.shut(event.target.closest(".pc-pop"));
    });
    panel.addEventListener("pointerdown", ({ target }) => {
      for (const one of panel.querySelectorAll(".pc-pop:not(.picora-hidden)"))
        if (!one.parentElement?.contains(/** @type {Node} */ (target))) this.shut(one);
      // In a narrow panel the chips themselves stand over the list.
      const folded = panel.querySelector(".pc-unfolded");
      const inside = /** @type {HTMLElement} */ (target).closest(".pc-filters");
      if (folded && !inside) this.shut(folded.querySelector(".pc-more-pop"));
    }, { signal });
    const added = new MutationObserver(() => tidy(panel));
    added.observe(panel, { childList: true, subtree: true, attributes: true, attributeFilter: ["class"] });
    tidy(panel);
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

  /** @param {Element | null} open what stands over the list */
  shut(open) {
    /** @type {HTMLElement | null | undefined} */ (open?.querySelector(":scope > .pc-close"))?.click();
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

/**
 * Say what ipywidgets leaves unsaid: pictures are described beside them, what is pressed, and what cannot be read.
 * @param {HTMLElement} panel
 */
function tidy(panel) {
  for (const image of panel.querySelectorAll("img:not([alt])")) image.setAttribute("alt", "");
  /** @type {(one: Element | null, name: string, on: boolean) => void} */
  const set = (one, name, on) => {
    if (one && one.getAttribute(name) !== String(on)) one.setAttribute(name, String(on));
  };
  for (const one of panel.querySelectorAll(".widget-toggle-button"))
    set(one, "aria-pressed", one.classList.contains("mod-active"));
  for (const one of panel.querySelectorAll(".pc-chip-button")) muteCount(one);
  for (const one of panel.querySelectorAll(".pc-edit:not([aria-label])"))
    one.setAttribute("aria-label", one.getAttribute("title") ?? "");
  for (const one of panel.querySelectorAll(".pc-field"))
    set(one.querySelector("input, select"), "aria-invalid", one.classList.contains("pc-bad"));
}

/**
 * Mute the count at the end of a chip; a button of ipywidgets knows one text only.
 * @param {Element} chip
 */
function muteCount(chip) {
  const text = chip.lastChild;
  if (text?.nodeType !== Node.TEXT_NODE) return;
  const [words, count] = (text.textContent ?? "").split("\u2002");
  if (!count) return;
  text.textContent = `${words} `;
  chip.append(make("span", "pc-count", count));
}

export default {
  /** @param {{ model: any, el: HTMLElement, signal: AbortSignal }} given */
  render({ model, el, signal }) {
    new Guard(model, el, signal);
  },
};
