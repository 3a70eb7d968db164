// @ts-check
// Duplicates side by side: zoomed and moved together, what differs marked, and which one stays.

const WHOLE = { exact: false, times: 1, x: 0.5, y: 0.5 };
const STEP = 1.25, CLOSEST = 32;

const within = (/** @type {number} */ part) => Math.min(Math.max(part, 0), 1);

class Compare {
  /**
   * @param {any} host
   * @param {Kernel} kernel
   * @param {() => void} closed
   * @param {AbortSignal} signal
   */
  constructor(host, kernel, closed, signal) {
    this.host = host;
    this.kernel = kernel;
    this.closed = closed;
    this.signal = signal;
    this.n = 0;
    /** @type {any[]} */
    this.sides = [];
    this.zoom = { ...WHOLE };
    host.hidden = true;
    const { events } = kernel;
    events.addEventListener("group", (event) => this.paint(event), { signal });
    events.addEventListener("picture", (event) => this.take(event), { signal });
    events.addEventListener("list", () => this.open && this.close(), { signal });
    events.addEventListener("choice", () => this.open && this.ask(), { signal });
    signal.addEventListener("abort", () => this.forget());
    const bare = { bare: true, name: "pg-line", signal };
    this.where = make("span");
    this.exact = button("100 %", "", () => this.scale(!this.zoom.exact), { name: "pg-line", signal });
    this.nearer = button("+", "", () => this.near(STEP), { name: "pg-line", signal });
    this.farther = button("−", "", () => this.near(1 / STEP), { name: "pg-line", signal });
    this.nearer.setAttribute("aria-label", "Nearer");
    this.farther.setAttribute("aria-label", "Farther");
    this.nearer.title = "Nearer (+, or the wheel)";
    this.farther.title = "Farther (−, or the wheel)";
    this.flicker = button("Flicker", "", () => this.flick(), { name: "pg-line", signal });
    this.flicker.title = "Show the next one in each place (F)";
    this.exact.title = "One pixel of the picture as one of the screen (Z)";
    this.next = button("The next group", "right", () => this.show(this.n + 1), bare);
    this.top = make("div", "pg-top");
    this.top.append(
      button("The list", "left", () => this.close(), { signal }), this.where, make("span", "pg-sp"),
      this.farther, this.nearer, this.exact, this.flicker,
      button("The group before", "left", () => this.show(this.n - 1), bare),
      this.next,
    );
    this.row = make("div", "pg-sides");
    this.foot = make("p", "pg-mut", "Each has an address of its own: no other one stands in for it on a page.");
    host.append(this.top, this.row, this.foot);
  }

  get open() {
    return !this.host.hidden;
  }

  /** @param {number} n */
  show(n) {
    if (n < 0 || n >= this.kernel.view.groups) return;
    this.n = n;
    this.host.hidden = false;
    this.kernel.tell("over");
    this.zoom = { ...WHOLE };
    this.shown = -1;
    this.ask();
  }

  ask() {
    this.kernel.say("group", { rev: this.kernel.view.rev, n: this.n });
    this.kernel.expect();
  }

  /** @param {any} event */
  paint({ detail: group }) {
    if (!this.open || group.n !== this.n) return;
    const again = this.shown === group.n;
    this.shown = group.n;
    this.members = group.members;
    this.where.replaceChildren(
      make("b", "", `Group ${group.n + 1} of ${group.of}`), make("span", "pg-mut", ` · ${group.kind}`),
    );
    if (group.more) this.where.append(make("span", "pg-mut", ` · ${group.more}`));
    if (!again) {
      this.forget();
      this.sides = group.members.map((/** @type {any} */ one) => this.side(one));
      this.row.replaceChildren(...this.sides.map((one) => one.el));
      const places = group.members.map((/** @type {any} */ one) => one.place);
      this.kernel.say("look", { rev: this.kernel.view.rev, places });
      this.scale(false);
      if (!this.top.contains(document.activeElement))
        this.next.focus({ preventScroll: true });
    }
    group.members.forEach((/** @type {any} */ one, /** @type {number} */ i) => this.label(this.sides[i], one));
  }

  /** @param {any} member */
  side(member) {
    const el = make("section", "pg-side", "", { "aria-label": member.name });
    const pic = make("div", "pg-pic pg-wait");
    const text = make("div", "pg-x"), label = make("p", "pg-lab");
    const facts = make("dl", "pg-dl");
    for (const [name, value, differs] of member.facts) {
      const dd = make("dd");
      dd.append(make("span", differs ? "pg-diff" : "", value));
      if (differs) dd.append(make("span", "pg-only", " (differs)"));
      facts.append(make("dt", "", name), dd);
    }
    const { signal } = this;
    const keep = button("Keep only this one", "", () => this.keep(member.place), { name: "pg-line", signal });
    const toggle = button("Select", "", () => this.kernel.select("toggle", member.place), { name: "pg-line", signal });
    const acts = make("div", "pg-acts");
    acts.append(toggle, keep);
    text.append(label, make("h3", "", member.name), facts, acts);
    el.append(pic, text);
    this.movable(pic);
    return { el, pic, label, toggle, place: member.place, url: "" };
  }

  /**
   * @param {any} side
   * @param {any} member
   */
  label(side, member) {
    side.el.classList.toggle("pg-goes", member.chosen);
    side.el.classList.toggle("pg-keep", !member.chosen);
    side.label.replaceChildren(
      sign(member.chosen ? "check" : "shield"), make("b", "", member.chosen ? "Selected to go" : "Stays"),
      make("span", "pg-mut pg-why", member.why),
    );
    side.toggle.firstElementChild.textContent = member.chosen ? "Keep this one, too" : "Select";
  }

  /** @param {number} place */
  keep(place) {
    for (const one of this.sides) if (one.place >= 0) this.kernel.select(one.place === place ? "clear" : "set", one.place);
  }

  /** @param {any} event */
  take({ detail: { place, url, why } }) {
    const side = this.open ? this.sides.find((one) => one.place === place) : undefined;
    if (!side) return;
    if (side.url) URL.revokeObjectURL(side.url);
    side.url = url;
    side.pic.classList.remove("pg-wait");
    if (!url) {
      const gap = make("span", "pg-gap");
      gap.append(sign("lock"), make("span", "", why));
      side.pic.replaceChildren(gap);
      return;
    }
    const image = make("img", "pg-fit", "", { alt: "", draggable: "false" });
    image.addEventListener("load", () => this.move(), { signal: this.signal });
    image.src = url;
    side.pic.replaceChildren(image);
  }

  /** @param {boolean} exact */
  scale(exact) {
    this.zoom = { ...this.zoom, exact, times: 1 };
    this.exact.setAttribute("aria-pressed", String(exact));
    this.move();
  }

  /**
   * How much larger than whole a picture is shown: all the same, or each as large as its own pixels.
   * @param {any} pic
   */
  times(pic) {
    const image = pic.querySelector("img");
    if (!this.zoom.exact || !image?.naturalWidth) return this.zoom.times;
    return Math.max(image.naturalWidth / pic.clientWidth, image.naturalHeight / pic.clientHeight);
  }

  /**
   * Go nearer or farther; what is under the pointer stays there.
   * @param {number} by
   * @param {any} [pic]
   * @param {{ x: number, y: number }} [at] parts of its width and height
   */
  near(by, pic = this.sides[0]?.pic, at = { x: 0.5, y: 0.5 }) {
    if (!pic) return;
    const before = this.times(pic), times = Math.min(Math.max(before * by, 1), CLOSEST);
    /** @type {("x" | "y")[]} */
    const axes = ["x", "y"];
    for (const axis of axes) {
      const off = at[axis] - 0.5;
      const point = (off - (0.5 - this.zoom[axis]) * (before - 1)) / before;
      if (times > 1) this.zoom[axis] = within(0.5 - (off - point * times) / (times - 1));
    }
    this.zoom.exact = false;
    this.zoom.times = times;
    this.exact.setAttribute("aria-pressed", "false");
    this.move();
  }

  /** Show the same part of every picture. */
  move() {
    for (const { pic } of this.sides) {
      const image = pic.querySelector("img");
      const times = this.times(pic), room = Math.max(times - 1, 0);
      const by = (/** @type {number} */ place, /** @type {number} */ whole) => `${(0.5 - place) * room * whole}px`;
      pic.classList.toggle("pg-near", times > 1);
      if (image) image.style.transform = times === 1 ? ""
        : `translate(${by(this.zoom.x, pic.clientWidth)}, ${by(this.zoom.y, pic.clientHeight)}) scale(${times})`;
    }
  }

  /** @param {any} pic */
  movable(pic) {
    const { signal } = this;
    /** @type {any} */
    let from = null;
    pic.addEventListener("pointerdown", (/** @type {any} */ event) => {
      from = { x: event.clientX, y: event.clientY, at: { ...this.zoom } };
      pic.setPointerCapture(event.pointerId);
    }, { signal });
    pic.addEventListener("pointermove", (/** @type {any} */ event) => {
      const room = this.times(pic) - 1;
      if (!from || room <= 0) return;
      this.zoom.x = within(from.at.x - (event.clientX - from.x) / (room * pic.clientWidth));
      this.zoom.y = within(from.at.y - (event.clientY - from.y) / (room * pic.clientHeight));
      this.move();
    }, { signal });
    // The focus stays where the keys are heard.
    pic.addEventListener("mousedown", (/** @type {any} */ event) => event.preventDefault(), { signal });
    for (const end of ["pointerup", "pointercancel"]) pic.addEventListener(end, () => (from = null), { signal });
    pic.addEventListener("dblclick", () => this.scale(!this.zoom.exact), { signal });
    pic.addEventListener("wheel", (/** @type {any} */ event) => {
      event.preventDefault();
      const box = pic.getBoundingClientRect();
      const at = { x: (event.clientX - box.left) / box.width, y: (event.clientY - box.top) / box.height };
      this.near(event.deltaY < 0 ? STEP : 1 / STEP, pic, at);
    }, { signal, passive: false });
  }

  /** Put the next picture into each place, or back: what differs jumps to the eye. */
  flick() {
    this.flicked = !this.flicked;
    this.flicker.setAttribute("aria-pressed", String(this.flicked));
    this.sides.forEach((one, i) => {
      const image = one.pic.querySelector("img");
      const from = this.sides[this.flicked ? (i + 1) % this.sides.length : i];
      if (image && from.url) image.src = from.url;
    });
  }

  /** @param {KeyboardEvent} event */
  key(event) {
    const member = this.sides[Number(event.key) - 1];
    if (event.key === "ArrowLeft") this.show(this.n - 1);
    else if (event.key === "ArrowRight") this.show(this.n + 1);
    else if (event.key === "Escape") this.close();
    else if (event.key === "z") this.scale(!this.zoom.exact);
    else if (event.key === "f") this.flick();
    else if (event.key === "+" || event.key === "=") this.near(STEP);
    else if (event.key === "-") this.near(1 / STEP);
    else if (member && member.place >= 0) this.kernel.select("toggle", member.place);
    else return;
    event.preventDefault();
  }

  forget() {
    for (const one of this.sides) if (one.url) URL.revokeObjectURL(one.url);
    this.sides = [];
    this.flicked = false;
    this.flicker.setAttribute("aria-pressed", "false");
  }

  close() {
    this.host.hidden = true;
    this.shown = -1;
    this.forget();
    this.kernel.say("look", { rev: this.kernel.view.rev, places: [] });
    this.kernel.tell("over");
    this.closed();
  }
}
