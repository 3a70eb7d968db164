// @ts-check
// The rail beside the pictures: how much each stretch of the list holds, how much of it is chosen, what is in sight.

class Rail {
  /**
   * @param {Kernel} kernel
   * @param {(place: number) => void} go
   * @param {AbortSignal} signal
   */
  constructor(kernel, go, signal) {
    this.kernel = kernel;
    this.go = go;
    this.first = 0;
    this.el = make("div", "pg-rail", "", {
      role: "slider", tabindex: "0", "aria-label": "Place in the list", "aria-orientation": "vertical",
    });
    this.svg = document.createElementNS(SVG, "svg");
    this.svg.setAttribute("aria-hidden", "true");
    this.el.append(this.svg);
    const jump = (/** @type {any} */ event) => {
      if (event.type === "pointermove" && !(event.buttons & 1)) return;
      const { top, height } = this.svg.getBoundingClientRect();
      this.to(Math.floor(((event.clientY - top) / height) * this.stretches.length));
    };
    this.el.addEventListener("pointerdown", jump, { signal });
    this.el.addEventListener("pointermove", jump, { signal });
    this.el.addEventListener("keydown", (/** @type {any} */ event) => this.key(event), { signal });
  }

  get stretches() {
    return this.kernel.view.rail;
  }

  get height() {
    return this.el.clientHeight - 16;
  }

  /** @param {any} event */
  key(event) {
    // A year of months at once; another order has no years, and a page of it is as many stretches.
    const steps = { ArrowUp: -1, ArrowDown: 1, PageUp: -12, PageDown: 12, Home: -1e9, End: 1e9 };
    const by = steps[/** @type {keyof typeof steps} */ (event.key)];
    if (by === undefined) return;
    event.preventDefault();
    this.to(this.of(this.first) + by);
  }

  /** @param {number} place */
  of(place) {
    let n = 0;
    while (n + 1 < this.stretches.length && this.stretches[n + 1][0] <= place) n++;
    return n;
  }

  /** @param {number} n */
  to(n) {
    if (this.stretches.length)
      this.go(this.stretches[Math.min(Math.max(n, 0), this.stretches.length - 1)][0]);
  }

  /**
   * Draw it anew, or hide it where the whole list is in sight.
   * @param {number} inSight how many places are
   */
  paint(inSight) {
    this.el.hidden = this.stretches.length < 2 || this.kernel.total <= 1.5 * inSight;
    if (this.el.hidden) return;
    this.el.setAttribute("aria-valuemin", "1");
    this.el.setAttribute("aria-valuemax", String(this.stretches.length));
    paintRail(this.svg, this.kernel.view, this.kernel.choice.rail, this.height);
    this.frame(this.first, this.last ?? 0);
  }

  /**
   * Show what is on the screen.
   * @param {number} first
   * @param {number} last
   */
  frame(first, last) {
    this.first = first;
    this.last = last;
    const frame = this.svg.lastElementChild;
    if (this.el.hidden || !frame || !this.stretches.length) return;
    const y = this.at(first), n = this.of(first);
    frame.setAttribute("y", String(Math.max(y, 1)));
    frame.setAttribute("height", String(Math.max(this.at(last) - y, 8)));
    this.el.setAttribute("aria-valuenow", String(n + 1));
    this.el.setAttribute("aria-valuetext", this.stretches[n][2]);
  }

  /**
   * Say at which height of the rail a place lies.
   * @param {number} place
   */
  at(place) {
    const n = this.of(place), start = this.stretches[n][0];
    const end = n + 1 < this.stretches.length ? this.stretches[n + 1][0] : this.kernel.total;
    return ((n + (place - start) / Math.max(end - start, 1)) * this.height) / this.stretches.length;
  }
}

/**
 * Draw the rail: how much each stretch of the list holds, how much of it is chosen, and what is on the screen.
 * @param {SVGSVGElement} rail
 * @param {any} view
 * @param {string} levels
 * @param {number} height
 */
function paintRail(rail, view, levels, height) {
  const stretches = view.rail, n = stretches.length;
  rail.replaceChildren();
  if (!n) return;
  const each = height / n;
  const counts = stretches.map((/** @type {any} */ one, /** @type {number} */ i) =>
    (i + 1 < n ? stretches[i + 1][0] : view.total) - one[0]);
  const most = Math.max(...counts);
  let free = 0;
  stretches.forEach((/** @type {any} */ [, label], /** @type {number} */ i) => {
    const y = i * each, long = 4 + 24 * Math.sqrt(counts[i] / most);
    const chosen = long * (parseInt(levels[i] ?? "0", 16) / 15);
    rail.append(bar("pg-rb", 68 - long, y, long, each), bar("pg-rs", 68 - long, y, chosen, each));
    if (label && y >= free && y < height - 8) {
      const text = document.createElementNS(SVG, "text");
      text.setAttribute("x", "34");
      text.setAttribute("y", String(y + 9));
      text.setAttribute("text-anchor", "end");
      text.textContent = label;
      rail.append(text);
      free = y + 16;
    }
  });
  rail.append(bar("pg-rw", 37, 0, 34, 10));
}

/**
 * @param {string} name
 * @param {number} x
 * @param {number} y
 * @param {number} width
 * @param {number} height
 */
function bar(name, x, y, width, height) {
  const rect = document.createElementNS(SVG, "rect");
  const thick = name === "pg-rw" ? height : Math.max(Math.min(height - 1.5, 9), 1);
  const values = { class: name, x, y: name === "pg-rw" ? y : y + (height - thick) / 2, width, height: thick, rx: 1.5 };
  for (const [key, value] of Object.entries(values)) rect.setAttribute(key, String(value));
  return rect;
}
