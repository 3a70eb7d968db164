// @ts-check
// Pictures to look at, not to choose: those of a review, of a running deletion, of a receipt. The kernel says which.

/** @type {Record<string, string>} */
const MARKS = { t: "check", g: "check", x: "x" };

class Tiles {
  /**
   * @param {any} model
   * @param {HTMLElement} el
   * @param {AbortSignal} signal
   */
  constructor(model, el, signal) {
    this.model = model;
    this.root = make("div", `pm-tiles pm-${model.get("kind")}`, "", { role: "list" });
    /** @type {any[]} */
    this.els = [];
    /** @type {Map<number, { url: string, why: string }>} */
    this.pictures = new Map();
    /** @type {Set<number>} */
    this.inSight = new Set();
    this.asking = 0;
    this.seen = new IntersectionObserver((entries) => this.look(entries));
    const on = (/** @type {string} */ name, /** @type {(...all: any[]) => void} */ act) => {
      model.on(name, act);
      signal.addEventListener("abort", () => model.off(name, act));
    };
    on("change:tiles", () => this.build());
    on("change:marks", () => this.mark());
    on("change:still", () => this.still());
    on("msg:custom", (content, buffers) => this.keep(content, buffers ?? []));
    signal.addEventListener("abort", () => {
      this.seen.disconnect();
      clearTimeout(this.asking);
      this.forget();
    });
    el.append(this.root);
    this.build();
  }

  get list() {
    return this.model.get("tiles");
  }

  forget() {
    for (const one of this.pictures.values()) if (one.url) URL.revokeObjectURL(one.url);
    this.pictures.clear();
  }

  build() {
    this.seen.disconnect();
    this.inSight.clear();
    this.forget();
    const { rev, cells, label, more, press } = this.list;
    this.rev = rev;
    this.root.setAttribute("aria-label", label ?? "Pictures");
    this.els = (cells ?? []).map((/** @type {any} */ cell, /** @type {number} */ i) => this.tile(cell, i, press));
    const rest = more ? [make("div", "pm-tile pm-more", more, { role: "listitem" })] : [];
    this.root.replaceChildren(...this.els, ...rest);
    this.mark();
    this.still();
    for (const one of this.els) this.seen.observe(one);
  }

  /**
   * @param {any} cell
   * @param {number} place
   * @param {string} press
   */
  tile(cell, place, press) {
    const words = [cell.whole, cell.note, cell.meta, cell.seen].filter(Boolean).join(", ");
    const tile = make("div", "pm-tile", "", { role: "listitem", title: cell.whole, "data-place": String(place) });
    const pic = make("div", "pg-pic pg-wait", "", { role: "img", "aria-label": words });
    tile.append(pic);
    if (!["large", "rows"].includes(this.model.get("kind"))) return tile;
    const text = make("div", "pm-words");
    if (cell.note) {
      const note = make("div", "pm-note");
      note.append(sign("warn"), make("span", "", cell.note));
      text.append(note);
    }
    text.append(make("b", "pm-name", cell.name, { title: cell.whole }), make("span", "pg-mut", cell.meta));
    if (press) {
      const button = make("button", "pg-b pg-line", press, { "aria-label": `${press}: ${cell.whole}` });
      button.addEventListener("click", () => this.model.send({ type: "press", rev: this.rev, place }));
      text.append(button);
    }
    tile.append(text);
    return tile;
  }

  still() {
    for (const one of this.root.querySelectorAll("button")) one.disabled = this.model.get("still");
  }

  mark() {
    const marks = this.model.get("marks");
    this.els.forEach((tile, i) => {
      const mark = marks[i] ?? " ";
      if (tile.dataset.mark === mark) return;
      tile.dataset.mark = mark;
      tile.querySelector(".pm-disc")?.remove();
      if (!MARKS[mark]) return;
      const disc = make("span", "pm-disc");
      disc.append(sign(MARKS[mark]));
      tile.append(disc);
    });
  }

  /** @param {IntersectionObserverEntry[]} entries */
  look(entries) {
    for (const one of entries) {
      const place = Number(/** @type {any} */ (one.target).dataset.place);
      if (one.isIntersecting) this.inSight.add(place);
      else this.inSight.delete(place);
    }
    clearTimeout(this.asking);
    this.asking = window.setTimeout(() => {
      const places = [...this.inSight].filter((place) => !this.pictures.has(place)).sort((a, b) => a - b);
      if (places.length) this.model.send({ type: "want", rev: this.rev, places });
    }, 60);
  }

  /**
   * @param {any} content
   * @param {DataView[]} buffers
   */
  keep(content, buffers) {
    if (content.type !== "thumbs" || content.rev !== this.rev) return;
    const data = bytes(buffers[0]);
    let start = 0;
    content.places.forEach((/** @type {number} */ place, /** @type {number} */ i) => {
      const part = data.subarray(start, (start += content.sizes[i]));
      const before = this.pictures.get(place)?.url;
      if (before) URL.revokeObjectURL(before);
      const picture = { url: address(part, content.kinds[i]), why: content.why[i] };
      this.pictures.set(place, picture);
      const pic = this.els[place]?.querySelector(".pg-pic");
      if (pic) paintPicture(pic, this.list.cells[place], picture);
    });
  }
}

export default {
  /** @param {{ model: any, el: HTMLElement, signal: AbortSignal }} given */
  render({ model, el, signal }) {
    new Tiles(model, el, signal);
  },
};
