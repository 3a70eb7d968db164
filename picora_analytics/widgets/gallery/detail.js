// @ts-check
// One picture, whole, with everything that is known of it.

const DECISIONS = [
  ["keep", "Keep", "pin", "Never suggest it again"],
  ["later", "Later", "clock", "Ask again in 90 days"],
  ["delete", "May go", "trash", "A wish that deletes nothing; a filter finds it again"],
];

class Detail {
  /**
   * @param {any} host where it is drawn
   * @param {Kernel} kernel
   * @param {() => void} closed
   * @param {AbortSignal} signal
   * @param {boolean} aside whether it stands beside the pictures and follows the focus, instead of covering them
   */
  constructor(host, kernel, closed, signal, aside = false) {
    this.host = host;
    this.aside = aside;
    this.kernel = kernel;
    this.closed = closed;
    this.signal = signal;
    this.place = -1;
    this.url = "";
    host.hidden = true;
    kernel.events.addEventListener("detail", (event) => this.paint(event), { signal });
    kernel.events.addEventListener("picture", (event) => this.take(event), { signal });
    kernel.events.addEventListener("list", () => this.open && this.close(), { signal });
    kernel.events.addEventListener("cells", () => this.follow(), { signal });
    if (aside) kernel.events.addEventListener("pictures", () => this.copy(), { signal });
    signal.addEventListener("abort", () => this.forget());
    const options = { signal };
    this.where = make("span", "pg-mut");
    this.pic = make("div", "pg-pic pg-large");
    this.side = make("div", "pg-insp");
    this.toggle = button("Select", "check", () => this.choose(), { name: "pg-line", ...options });
    this.words = DECISIONS.map(([word, label, icon, title]) => {
      const made = button(label, icon, () => this.decide(word), { name: "pg-line", ...options });
      made.title = title;
      return made;
    });
    const top = make("div", "pg-top");
    top.append(
      button("Back", "left", () => this.close(), options), this.where, make("span", "pg-sp"),
      button("The one before", "left", () => this.step(-1), { bare: true, name: "pg-line", ...options }),
      button("The next one", "right", () => this.step(1), { bare: true, name: "pg-line", ...options }),
    );
    const main = make("div", "pg-detp");
    if (aside) this.pic.classList.remove("pg-large");
    else main.append(top, this.pic);
    host.append(...(aside ? [this.pic, this.side] : [main, this.side]));
  }

  get open() {
    return !this.host.hidden;
  }

  /** @param {number} place */
  show(place) {
    if (place < 0 || place >= this.kernel.total) return;
    this.host.hidden = false;
    this.place = place;
    this.forget();
    this.copy();
    this.kernel.say("open", { rev: this.kernel.view.rev, place });
    if (this.aside) return;
    this.kernel.tell("over");
    this.kernel.say("look", { rev: this.kernel.view.rev, places: [place] });
    this.kernel.expect();
  }

  /** @param {number} by */
  step(by) {
    this.show(this.place + by);
  }

  choose() {
    this.kernel.select("toggle", this.place);
    this.chosen = !this.chosen;
    this.paintToggle();
  }

  /** Show the small picture of the list. */
  copy() {
    const url = this.kernel.pictures.get(this.place)?.url ?? "";
    if (this.pic.querySelector("img")?.getAttribute("src") !== url) this.picture(url);
  }

  /** Say whether it is chosen, whoever chose it. */
  follow() {
    const cell = this.open && this.kernel.cells.get(this.place);
    if (!cell || Boolean(cell.chosen) === this.chosen) return;
    this.chosen = Boolean(cell.chosen);
    this.paintToggle();
  }

  /** @param {string} word */
  decide(word) {
    const { rev } = this.kernel.view;
    this.kernel.say("decide", { rev, place: this.place, word: this.own === word ? "" : word });
    this.kernel.expect();
  }

  /**
   * Show what can be decided of an image, and what was.
   * @param {any} found
   */
  decisions(found) {
    this.own = found.own;
    this.words.forEach((made, i) => made.setAttribute("aria-pressed", String(DECISIONS[i][0] === found.own)));
    const row = make("div", "pg-acts");
    row.append(this.toggle, ...(found.own === undefined ? [] : this.words));
    const box = make("div", "pg-decide");
    box.append(row);
    if (found.problem) box.append(make("p", "pg-wrong", found.problem, { role: "alert" }));
    return box;
  }

  paintToggle() {
    this.toggle.lastElementChild.textContent = this.chosen ? "Selected" : "Select";
    this.toggle.setAttribute("aria-pressed", String(Boolean(this.chosen)));
  }

  /** @param {any} event */
  paint({ detail: found }) {
    if (!this.open || found.place !== this.place) return;
    const had = this.side.contains(document.activeElement) && document.activeElement;
    const inside = this.host.contains(document.activeElement);
    this.chosen = Boolean(found.chosen);
    this.paintToggle();
    this.where.textContent = found.where;
    const title = make("h3", "", found.name, { tabindex: "-1" });
    const facts = make("dl", "pg-dl");
    for (const [label, value] of found.facts) facts.append(make("dt", "", label), make("dd", "", value));
    this.side.replaceChildren(title);
    if (found.badge[0]) {
      const badge = make("p", `pg-note ${found.spared ? "pg-safe" : ""}`);
      badge.append(sign(found.badge[0]), make("span", "", found.badge[1]));
      this.side.append(badge);
    }
    this.side.append(facts, this.uses(found), this.decisions(found));
    if (had || !(inside || this.aside)) (this.words.includes(had) ? had : this.toggle).focus({ preventScroll: true });
  }

  /**
   * Show the lines that use an image, its id marked.
   * @param {any} found
   */
  uses(found) {
    const box = make("div", "pg-found");
    box.append(make("b", "", found.status));
    for (const [where, line] of found.places) {
      const text = make("code", "pg-say");
      line.split(found.id).forEach((/** @type {string} */ part, /** @type {number} */ i) => {
        if (i) text.append(make("mark", "", found.id));
        text.append(part);
      });
      box.append(make("code", "", where), text);
    }
    return box;
  }

  /** @param {any} event */
  take({ detail: { place, url, why } }) {
    if (!this.open || this.aside || place !== this.place) return;
    this.forget();
    this.url = url;
    if (url) this.picture(url);
    else if (!this.pic.querySelector("img")) this.pic.replaceChildren(make("span", "pg-gap", why));
  }

  /** @param {string} url */
  picture(url) {
    this.pic.replaceChildren();
    if (!url) return;
    const image = make("img", "pg-fit", "", { alt: "" });
    image.src = url;
    this.pic.append(image);
  }

  forget() {
    if (this.url) URL.revokeObjectURL(this.url);
    this.url = "";
  }

  close() {
    this.host.hidden = true;
    this.forget();
    if (this.aside) return;
    this.kernel.say("look", { rev: this.kernel.view.rev, places: [] });
    this.kernel.tell("over");
    this.closed();
  }
}
