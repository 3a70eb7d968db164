// @ts-check
// Duplicates side by side: zoomed and moved together, what differs marked, and which one stays.

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
    this.zoom = { exact: false, x: 0.5, y: 0.5 };
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
    this.flicker = button("Flicker", "", () => this.flick(), { name: "pg-line", signal });
    this.flicker.title = "Show the next one in each place (F)";
    this.exact.title = "One pixel of the picture as one of the screen (Z)";
    this.top = make("div", "pg-top");
    this.top.append(
      button("The list", "left", () => this.close(), { signal }), this.where, make("span", "pg-sp"),
      this.exact, this.flicker,
      button("The group before", "left", () => this.show(this.n - 1), bare),
      button("The next group", "right", () => this.show(this.n + 1), bare),
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
    this.zoom = { exact: false, x: 0.5, y: 0.5 };
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
        this.top.querySelectorAll("button")[4]?.focus({ preventScroll: true });
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
    image.src = url;
    side.pic.replaceChildren(image);
    this.move();
  }

  /** @param {boolean} exact */
  scale(exact) {
    this.zoom.exact = exact;
    this.exact.setAttribute("aria-pressed", String(exact));
    this.move();
  }

  /** Show the same part of every picture. */
  move() {
    const { exact, x, y } = this.zoom;
    for (const { pic } of this.sides) {
      pic.classList.toggle("pg-exact", exact);
      const image = pic.querySelector("img");
      if (image) image.style.objectPosition = exact ? `${100 * x}% ${100 * y}%` : "";
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
      const image = pic.querySelector("img");
      if (!from || !this.zoom.exact || !image) return;
      const room = (/** @type {number} */ whole, /** @type {number} */ part) => Math.max(whole - part, 1);
      const limit = (/** @type {number} */ one) => Math.min(Math.max(one, 0), 1);
      this.zoom.x = limit(from.at.x - (event.clientX - from.x) / room(image.naturalWidth, pic.clientWidth));
      this.zoom.y = limit(from.at.y - (event.clientY - from.y) / room(image.naturalHeight, pic.clientHeight));
      this.move();
    }, { signal });
    pic.addEventListener("pointerup", () => (from = null), { signal });
    pic.addEventListener("dblclick", () => this.scale(!this.zoom.exact), { signal });
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
