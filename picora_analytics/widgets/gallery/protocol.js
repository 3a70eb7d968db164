// @ts-check
// What the page knows of the list, and what it asks the kernel for. The kernel decides; the page remembers a little.

const PROTO = 1;
const BLOCK = 120;
const CELLS = 2400; // Remembered; what is over is asked for again.
const PICTURES = 600;
const BUSY = 1000; // Milliseconds without an answer.

class Kernel {
  /**
   * @param {any} model
   * @param {AbortSignal} signal
   */
  constructor(model, signal) {
    this.model = model;
    /** @type {Map<number, any>} */
    this.cells = new Map();
    /** @type {Map<number, { url: string, why: string }>} */
    this.pictures = new Map();
    /** @type {Set<number>} */
    this.asked = new Set();
    this.events = new EventTarget();
    this.number = Math.floor(Math.random() * 1e9) * 1000; // Two views must not take answers for their own.
    this.sent = 0;
    this.waiting = 0;
    this.wanted = "";
    const on = (/** @type {string} */ name, /** @type {(...all: any[]) => void} */ act) => {
      model.on(name, act);
      signal.addEventListener("abort", () => model.off(name, act));
    };
    on("msg:custom", (content, buffers) => this.hear(content, buffers ?? []));
    on("change:view", () => this.relist());
    on("change:choice", () => this.chose());
    signal.addEventListener("abort", () => this.close());
    this.signal = signal;
    this.take(model.get("first"));
    this.say("hello");
    // Shown once more, after something was chosen.
    if (this.choice.seq > 1) this.remark(0, this.cells.size);
  }

  get view() {
    return this.model.get("view");
  }

  get choice() {
    return this.model.get("choice");
  }

  get total() {
    return this.view.total ?? 0;
  }

  /**
   * @param {string} type
   * @param {Record<string, unknown>} [rest]
   */
  say(type, rest = {}) {
    this.number += 1;
    if (this.signal.aborted && type !== "bye") return this.number;
    this.model.send({ proto: PROTO, type, id: this.number, ...rest });
    return this.number;
  }

  /** Expect an answer, and notice when none comes: a kernel that runs a cell may be busy. */
  expect() {
    clearTimeout(this.waiting);
    this.waiting = window.setTimeout(() => this.tell("busy", true), BUSY);
  }

  heard() {
    clearTimeout(this.waiting);
    this.tell("busy", false);
  }

  /**
   * @param {string} name
   * @param {unknown} [detail]
   */
  tell(name, detail) {
    this.events.dispatchEvent(new CustomEvent(name, { detail }));
  }

  /**
   * @param {any} content
   * @param {DataView[]} buffers
   */
  hear(content, buffers) {
    this.heard();
    if (content.type === "error") this.tell("problem", content.text);
    if (content.type === "stale") this.relist();
    if (content.rev !== this.view.rev) return; // Of a list that is gone.
    if (content.type === "rows") {
      this.take(content);
      this.tell("cells");
    } else if (content.type === "marks") this.mark(content, bytes(buffers[0]));
    else if (content.type === "thumbs") this.keep(content, bytes(buffers[0]));
    else if (content.type === "picture") this.tell("picture", large(content, bytes(buffers[0])));
    else if (["detail", "group", "go", "focus"].includes(content.type)) this.tell(content.type, content);
  }

  /** Forget what belongs to another list. */
  relist() {
    this.cells.clear();
    this.asked.clear();
    for (const one of this.pictures.values()) if (one.url) URL.revokeObjectURL(one.url);
    this.pictures.clear();
    this.wanted = "";
    this.take(this.model.get("first"));
    this.heard();
    this.tell("list");
  }

  /** @param {any} block */
  take(block) {
    if (!block || block.rev !== this.view.rev) return;
    const names = Object.keys(block).filter((key) => Array.isArray(block[key]));
    for (let i = 0; i < block.name.length; i++) {
      /** @type {any} */
      const cell = {};
      for (const key of names) cell[key] = block[key][i];
      this.cells.set(block.a + i, cell);
    }
    this.asked.delete(Math.floor(block.a / BLOCK));
    for (const key of this.cells.keys()) {
      if (this.cells.size <= CELLS) break;
      this.cells.delete(key);
    }
  }

  /**
   * Make sure of the cells of a stretch, the end not included.
   * @param {number} a
   * @param {number} b
   */
  need(a, b) {
    for (let n = Math.floor(a / BLOCK); n * BLOCK < Math.min(b, this.total); n++) {
      if (this.asked.has(n)) continue;
      const last = Math.min(b, (n + 1) * BLOCK, this.total);
      let there = true;
      for (let i = Math.max(a, n * BLOCK); i < last && there; i++) there = this.cells.has(i);
      if (there) continue;
      this.asked.add(n);
      this.say("rows", { rev: this.view.rev, a: n * BLOCK, b: Math.min((n + 1) * BLOCK, this.total) });
      this.expect();
    }
  }

  /**
   * Ask for the pictures in sight; the newest list replaces the one before.
   * @param {number[]} places
   */
  look(places) {
    const missing = places.filter((place) => !this.pictures.has(place));
    const wanted = missing.join();
    if (wanted === this.wanted) return;
    this.wanted = wanted;
    this.say("thumbs", { rev: this.view.rev, places: missing });
  }

  /**
   * @param {any} content
   * @param {Uint8Array} data
   */
  keep(content, data) {
    let start = 0;
    content.places.forEach((/** @type {number} */ place, /** @type {number} */ i) => {
      const part = data.subarray(start, (start += content.sizes[i]));
      const before = this.pictures.get(place)?.url;
      if (before) URL.revokeObjectURL(before);
      this.pictures.delete(place);
      this.pictures.set(place, { url: address(part, content.kinds[i]), why: content.why[i] });
    });
    for (const [place, one] of this.pictures) {
      if (this.pictures.size <= PICTURES) break;
      if (one.url) URL.revokeObjectURL(one.url);
      this.pictures.delete(place);
    }
    this.tell("pictures", content.places);
  }

  /**
   * @param {any} content
   * @param {Uint8Array} bits
   */
  mark(content, bits) {
    for (let i = 0; i < content.n; i++) {
      const cell = this.cells.get(content.a + i);
      if (cell) cell.chosen = (bits[i >> 3] >> (7 - (i & 7))) & 1;
    }
    this.tell("cells");
  }

  /**
   * Change what is chosen: at once on the screen, and for good when the kernel has said so.
   * @param {string} op
   * @param {number} [a]
   * @param {number} [b]
   */
  select(op, a = 0, b = a) {
    this.sent = this.say("sel", { rev: this.view.rev, op, a, b });
    this.expect();
    if (op === "undo") return;
    const low = Math.min(a, b), high = Math.max(a, b);
    for (const [place, cell] of this.cells) {
      if (op === "all") cell.chosen = 1;
      else if (op === "none") cell.chosen = 0;
      else if (op === "invert") cell.chosen = 1 - cell.chosen;
      else if (place >= low && place <= high)
        cell.chosen = op === "toggle" ? 1 - cell.chosen : op === "set" ? 1 : 0;
    }
    this.undone = false;
    this.tell("cells");
  }

  /**
   * Press a button of the panel around the gallery.
   * @param {string} name
   */
  press(name) {
    this.say("press", { name });
    this.expect();
  }

  /** Take what the kernel says is chosen; unless it answers our last gesture, the marks are asked for. */
  chose() {
    this.heard();
    if (this.choice.ack !== this.sent || this.undone !== false) this.tell("marks");
    this.undone = undefined;
    this.tell("choice");
  }

  /**
   * Ask which cells of a stretch are chosen, and forget the others.
   * @param {number} a
   * @param {number} b
   */
  remark(a, b) {
    for (const place of this.cells.keys()) if (place < a || place >= b) this.cells.delete(place);
    if (b > a) this.say("marks", { rev: this.view.rev, a, b: Math.min(b, a + 2 * BLOCK) });
  }

  close() {
    clearTimeout(this.waiting);
    try {
      this.say("bye");
    } catch {
      // The kernel may be gone before the page.
    }
    for (const one of this.pictures.values()) if (one.url) URL.revokeObjectURL(one.url);
    this.pictures.clear();
  }
}

/**
 * @param {any} content
 * @param {Uint8Array} data
 */
function large(content, data) {
  return { place: content.places[0], url: address(data, content.kinds[0]), why: content.why[0] };
}
