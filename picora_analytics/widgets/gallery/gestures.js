// @ts-check
// Mouse, touch and keyboard over the pictures: where they point, and what they choose.

const MANY = 500; // A stretch of more than this asks first: one stray click must not choose a library.

class Gestures {
  /**
   * @param {any} grid the element that takes the focus
   * @param {Kernel} kernel
   * @param {{ columns: () => number, page: () => number, show: (place: number) => void, open: (place: number) => void,
   *   ask: (n: number, act: () => void) => void, chip: (n: number) => void, say: (text: string) => void,
   *   help: () => void, code: () => void }} acts
   * @param {AbortSignal} signal
   */
  constructor(grid, kernel, acts, signal) {
    this.grid = grid;
    this.kernel = kernel;
    this.acts = acts;
    this.active = 0;
    this.anchor = -1; // Belongs to one list; without one, a stretch is one image.
    this.on = true;
    this.escaped = 0;
    this.ranging = false;
    grid.addEventListener("click", (/** @type {any} */ event) => this.click(event), { signal });
    grid.addEventListener("pointermove", (/** @type {any} */ event) => this.hover(event), { signal, passive: true });
    grid.addEventListener("pointerleave", () => acts.chip(0), { signal });
    grid.addEventListener("keydown", (/** @type {any} */ event) => this.key(event), { signal });
    grid.addEventListener("focusin", (/** @type {any} */ event) => {
      const place = this.placeOf(event);
      if (place >= 0) this.active = place;
    }, { signal });
    kernel.events.addEventListener("list", () => {
      this.anchor = -1;
      this.active = Math.min(this.active, Math.max(kernel.total - 1, 0));
    }, { signal });
  }

  /** @param {any} event */
  placeOf(event) {
    const el = event.target.closest?.("[data-place]");
    return el ? Number(el.dataset.place) : -1;
  }

  /** @param {any} event */
  click(event) {
    const place = this.placeOf(event);
    if (place < 0) return;
    if (event.target.closest(".pg-open")) {
      this.active = place;
      this.acts.open(place);
    } else if ((event.shiftKey || this.ranging) && this.anchor >= 0) this.stretch(this.anchor, place);
    else this.toggle(place);
    this.focus(place);
  }

  /** @param {any} event */
  hover(event) {
    const place = event.shiftKey || this.ranging ? this.placeOf(event) : -1;
    this.acts.chip(place >= 0 && this.anchor >= 0 ? Math.abs(place - this.anchor) + 1 : 0);
  }

  /** @param {number} place */
  toggle(place) {
    const cell = this.kernel.cells.get(place);
    this.on = !cell?.chosen;
    this.anchor = place;
    this.kernel.select("toggle", place);
  }

  /**
   * @param {number} a
   * @param {number} b
   */
  stretch(a, b) {
    const n = Math.abs(b - a) + 1, op = this.on ? "set" : "clear";
    const { rev } = this.kernel.view;
    const act = () => rev === this.kernel.view.rev && this.kernel.select(op, a, b);
    this.acts.chip(0);
    if (n > MANY) this.acts.ask(n, act);
    else act();
  }

  /**
   * Move the focus, and the one stop of the Tab key with it.
   * @param {number} place
   */
  focus(place) {
    if (!this.kernel.total) return;
    this.active = Math.min(Math.max(place, 0), this.kernel.total - 1);
    this.acts.show(this.active);
  }

  /** @param {any} event */
  key(event) {
    const control = event.ctrlKey || event.metaKey, { key } = event;
    if (event.altKey || key === "Tab") return;
    const to = this.target(key, control);
    if (key !== "Escape") this.escaped = 0;
    if (to !== null) {
      if (event.shiftKey) {
        if (this.anchor < 0) {
          this.anchor = this.active;
          this.on = true;
        }
        this.stretch(this.anchor, Math.min(Math.max(to, 0), this.kernel.total - 1));
      }
      this.focus(to);
    } else if (control && key === "a") this.all();
    else if (control && key === "i") this.kernel.select("invert");
    else if (control && key === "z") this.kernel.select("undo");
    else if (control) return;
    else if (key === " ") this.space(event.shiftKey);
    else if (key === "Enter") this.acts.open(this.active);
    else if (key === "?") this.acts.help();
    else if (key === "Delete") this.acts.code();
    else if (key === "Escape") this.escape();
    else return;
    event.preventDefault();
  }

  /**
   * @param {string} key
   * @param {boolean} control
   */
  target(key, control) {
    const { active } = this, columns = this.acts.columns(), page = this.acts.page() * columns;
    const start = active - (active % columns), last = this.kernel.total - 1;
    if (key === "ArrowLeft") return active - 1;
    if (key === "ArrowRight") return active + 1;
    if (key === "ArrowUp") return active < columns ? active : active - columns;
    if (key === "ArrowDown") return active + columns > last ? active : active + columns;
    if (key === "PageUp") return Math.max(active - page, active % columns);
    if (key === "PageDown") return Math.min(active + page, last);
    if (key === "Home") return control ? 0 : start;
    if (key === "End") return control ? last : Math.min(start + columns - 1, last);
    return null;
  }

  /** @param {boolean} shift */
  space(shift) {
    if (shift && this.anchor >= 0) this.stretch(this.anchor, this.active);
    else this.toggle(this.active);
  }

  all() {
    this.kernel.select("all");
  }

  escape() {
    this.escaped += 1;
    if (this.escaped < 2) this.acts.say("Press Escape once more to select none.");
    else {
      this.escaped = 0;
      this.kernel.select("none");
    }
  }
}
