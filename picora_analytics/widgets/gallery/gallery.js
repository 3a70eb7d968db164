// @ts-check
// The gallery itself: what is on the screen, put together from the parts before.

const GAP = 6;
const PASSING = 150; // Milliseconds of focus after which a picture is looked at.
const ROOM = 1490; // Pixels of a panel that has room for it.
const QUIET = 30; // Milliseconds without scrolling before pictures are asked for.

class Gallery {
  // What controls.js makes, some of it in a panel only.
  /** @type {any} */ all;
  /** @type {any} */ busy;
  /** @type {any} */ clear;
  /** @type {any} */ count;
  /** @type {any} */ field;
  /** @type {any} */ form;
  /** @type {any} */ going;
  /** @type {any} */ offer;
  /** @type {any} */ order;
  /** @type {any} */ range;
  /** @type {any} */ review;
  /** @type {any} */ side;
  /** @type {any} */ stack;
  /** @type {any} */ sum;
  /** @type {any} */ those;
  /** @type {any} */ undo;
  /** @type {any} */ aside;
  /** @type {any} */ rail;

  /**
   * @param {any} model
   * @param {HTMLElement} el
   * @param {AbortSignal} signal
   */
  constructor(model, el, signal) {
    this.model = model;
    this.signal = signal;
    this.facts = model.get("facts");
    this.list = false;
    this.columns = 1;
    this.pixels = 0;
    /** @type {Map<number, any>} */
    this.rows = new Map();
    this.frame = 0;
    this.quiet = 0;
    this.sight = ""; // What pictures were last asked for.
    this.spoken = 0;
    this.kernel = new Kernel(model, signal);
    this.build(el);
    this.scroller = new Scroller(this.box, this.canvas, () => this.draw(), signal);
    this.gestures = new Gestures(this.grid, this.kernel, {
      columns: () => (this.list ? 1 : this.columns),
      page: () => Math.max(Math.floor(this.box.clientHeight / this.scroller.height), 1),
      show: (place) => this.show(place),
      open: (place) => this.detail.show(place),
      ask: (n, act) => ask(this, n, act),
      chip: (n) => this.stretch(n),
      say: (text) => this.say(text),
      help: () => this.toggle(this.keys),
      code: () => (this.review ? this.review.click() : this.toggle(this.code)),
    }, signal);
    const back = () => this.focus();
    this.detail = new Detail(this.detailEl, this.kernel, back, signal);
    if (this.facts.panel) {
      this.aside = new Detail(this.asideEl, this.kernel, () => {}, signal, true);
      // It follows the focus, a little later: whoever walks past needs no facts.
      this.grid.addEventListener("focusin", () => {
        clearTimeout(this.passing);
        this.passing = window.setTimeout(() => this.inspect(), PASSING);
      }, { signal });
    }
    this.compare = new Compare(this.compareEl, this.kernel, back, signal);
    this.listen();
    this.relist();
    this.chose();
    if (this.kernel.view.groups) this.compare.show(0);
  }

  /** @param {HTMLElement} el */
  build(el) {
    const { signal } = this;
    const root = make("div", "pg-root");
    this.root = make("div", "pg", "", { role: "region", "aria-label": "Image gallery" });
    this.style = make("style", "",
      `.${this.facts.static},.jp-OutputArea-child:has(.${this.facts.static}){display:none}`);
    this.grid = make("div", "pg-grid", "", { "aria-label": "Images", tabindex: "-1" });
    this.titles = make("div", "pg-titles", "", { role: "row" });
    this.box = make("div", "pg-box");
    this.canvas = make("div", "pg-canvas");
    this.empty = make("div", "pg-empty");
    this.chip = make("div", "pg-chip", "", { hidden: "" });
    this.box.append(this.canvas);
    this.grid.append(this.titles, this.box);
    this.asking = make("div", "pg-ask", "", { role: "alertdialog", "aria-label": "Many at once", hidden: "" });
    this.keys = makeKeys();
    this.wrap = make("div", "pg-wrap");
    this.wrap.append(makeLine(this), this.asking, this.grid, this.empty, this.chip, this.keys);
    this.view = make("div", "pg-view");
    this.detailEl = make("div", "pg-over pg-det");
    this.compareEl = make("div", "pg-over pg-cmp");
    this.rail = new Rail(this.kernel, (place) => this.goto(place), signal);
    this.view.append(this.wrap, this.rail.el, this.detailEl, this.compareEl);
    this.asideEl = make("aside", "pg-aside", "", { "aria-label": "The picture in focus" });
    if (this.facts.panel) this.rail.el.after(this.asideEl);
    this.code = makeCode(this);
    this.refusal = make("div", "pg-refuse", "", { hidden: "" });
    this.refused = make("span", "", "", { role: "alert" });
    this.way = button("", "", () => this.kernel.press(this.kernel.choice.way[0]), { name: "pg-link", signal });
    this.refusal.append(this.refused, this.way);
    this.problem = make("div", "pg-problem", "", { role: "alert" });
    this.live = make("div", "pg-live", "", { role: "status", "aria-live": "polite" });
    if (this.facts.panel) this.root.classList.add("pg-in-panel");
    else root.append(makeHead(this));
    root.append(this.problem, this.view, this.refusal, this.code, makeBar(this), this.live);
    this.root.append(this.style, root);
    el.append(this.root);
  }

  listen() {
    const { kernel, signal, root } = this;
    const on = (/** @type {string} */ name, /** @type {(event: any) => void} */ act) =>
      kernel.events.addEventListener(name, act, { signal });
    on("list", () => this.relist());
    on("cells", () => this.draw());
    on("pictures", () => this.draw());
    on("choice", () => this.chose());
    on("go", ({ detail }) => {
      this.problem.textContent = "";
      this.goto(detail.place);
      this.gestures.focus(detail.place);
    });
    on("focus", ({ detail }) => (detail.what === "review" && this.review ? this.review.focus() : this.focus()));
    // What is covered takes no focus.
    on("over", () => (this.wrap.inert = this.rail.el.inert = this.detail.open || this.compare.open));
    on("marks", () => kernel.remark(...this.inSight()));
    on("busy", ({ detail }) => (this.busy.hidden = !detail));
    on("problem", ({ detail }) => (this.problem.textContent = detail));
    keepKeys(root, signal, (event) => {
      if (this.compare.open && event.target.tagName !== "INPUT") this.compare.key(event);
      else if (this.detail.open && event.key === "Escape") this.detail.close();
      else if (this.detail.open && event.key === "ArrowLeft") this.detail.step(-1);
      else if (this.detail.open && event.key === "ArrowRight") this.detail.step(1);
      else if (event.key === "Escape" && !this.keys.hidden) this.toggle(this.keys);
    });
    const sizes = new ResizeObserver(() => this.resize());
    sizes.observe(this.box);
    const theme = () => root.classList.toggle("pg-dark", isDark(root.parentElement ?? root));
    const themes = new MutationObserver(theme);
    themes.observe(document.body, { attributes: true });
    const wants = matchMedia("(prefers-color-scheme: dark)");
    wants.addEventListener("change", theme, { signal });
    theme();
    requestAnimationFrame(theme); // The element is in the page only now.
    signal.addEventListener("abort", () => {
      sizes.disconnect();
      themes.disconnect();
      clearTimeout(this.quiet);
      clearTimeout(this.passing);
      cancelAnimationFrame(this.frame);
      root.remove();
    });
  }

  /** Take another list: another order, search or library. */
  relist() {
    const { view } = this.kernel;
    const key = `${view.order}|${view.text}`;
    this.count.replaceChildren(make("b", "", view.count), make("span", "pg-mut", ` ${view.of}`.replace("  ", " ")));
    this.all.lastElementChild.textContent = view.all === false ? "Select all" : `Select all ${view.count}`;
    this.all.disabled = !view.total;
    this.all.hidden = view.all === false && view.total > 0;
    offer(this.offer, view.press);
    for (const one of this.wrap.querySelectorAll(".pg-opt")) one.hidden = !view.total;
    this.order.replaceChildren(...view.orders.map((/** @type {string} */ one) => {
      const option = make("option", "", one[0].toUpperCase() + one.slice(1), { value: one });
      option.selected = one === view.order;
      return option;
    }));
    this.going.placeholder = `Go to ${view.go}`;
    if (this.field && document.activeElement !== this.field) this.field.value = view.text;
    this.empty.hidden = view.total > 0;
    const { title, text, press } = view.empty
      ?? { title: "", text: view.text ? `Nothing here has “${view.text}”.` : "There are no images here.", press: null };
    const act = button("", "", () => this.kernel.press(this.kernel.view.empty.press[0]), { name: "pg-link", signal: this.signal });
    offer(act, press);
    this.empty.replaceChildren(make("b", "", title), make("span", "", text), act);
    this.problem.textContent = "";
    const first = this.key === key ? this.scroller.top / this.scroller.height : 0;
    this.key = key;
    this.sight = "";
    this.clearRows();
    this.layout(first);
    this.headings();
  }

  /** Show as a grid of pictures, or as a list with columns. */
  reform() {
    const first = this.firstPlace;
    this.list = !this.list;
    this.root.classList.toggle("pg-listed", this.list);
    const label = this.list ? "As pictures" : "As a list";
    this.form.replaceChildren(sign(this.list ? "grid" : "list"));
    this.form.title = label;
    this.form.setAttribute("aria-label", label);
    this.clearRows();
    this.headings();
    this.layout(this.list ? first : Math.floor(first / this.columns));
  }

  headings() {
    this.titles.replaceChildren();
    this.titles.hidden = !this.list;
    if (!this.list) return;
    const chosen = make("div", "pg-lc pg-lck", "", { role: "columnheader" });
    chosen.append(make("span", "pg-only", "Selected"));
    this.titles.append(chosen);
    for (const [name, key, up, down] of COLUMNS) {
      const { order } = this.kernel.view;
      const cell = make("div", `pg-lc pg-l-${key}`, "", { role: "columnheader" });
      if (up) {
        const sorted = order === up || order === down;
        const ascending = order.startsWith("oldest") || order.startsWith("smallest") || order.endsWith("A to Z");
        cell.setAttribute("aria-sort", sorted ? (ascending ? "ascending" : "descending") : "none");
        const act = () => this.kernel.say("sort", { order: order === up ? down : up });
        cell.append(button(sorted ? `${name} ${ascending ? "↑" : "↓"}` : name, "", act, { signal: this.signal }));
      } else cell.textContent = name;
      this.titles.append(cell);
    }
  }

  resize() {
    // A hidden tab has no width: that is no reason to become one column.
    if (this.box.clientWidth === this.pixels || !this.box.clientWidth) {
      if (this.box.clientWidth) this.draw();
      return;
    }
    const first = this.firstPlace;
    const before = this.columns;
    this.layout(this.list ? first : 0);
    if (!this.list && before) this.scroller.go(Math.floor(first / this.columns) * this.scroller.height);
  }

  /** @param {number} first the row to begin with */
  layout(first) {
    const width = this.box.clientWidth;
    if (!width) return;
    this.pixels = width;
    const inner = width - 20;
    const columns = Math.max(Math.floor(inner / WIDEST), 1);
    if (columns !== this.columns) this.clearRows();
    this.columns = columns;
    const cell = (inner - (columns - 1) * GAP) / columns;
    this.high = Math.round((cell - 12) * 0.75);
    this.root.style.setProperty("--pg-pic", `${this.high}px`);
    const each = this.list ? 1 : columns;
    const n = Math.ceil(this.kernel.total / each);
    this.counts(n, each);
    this.scroller.resize(n, this.list ? LIST_ROW : this.high + 71 + GAP, first);
    this.rail.paint(this.inSight()[1] - this.inSight()[0]);
  }

  /**
   * Say how large the whole list is, though little of it is in the page.
   * @param {number} rows
   * @param {number} columns
   */
  counts(rows, columns) {
    const values = {
      role: rows ? "grid" : "group", "aria-multiselectable": "true",
      "aria-rowcount": String(rows + (this.list ? 1 : 0)),
      "aria-colcount": String(this.list ? COLUMNS.length + 1 : columns),
    };
    for (const [name, value] of Object.entries(values)) this.grid.setAttribute(name, value);
    if (!rows) for (const name of Object.keys(values).slice(1)) this.grid.removeAttribute(name);
  }

  get firstPlace() {
    return Math.round(this.scroller.top / this.scroller.height) * (this.list ? 1 : this.columns);
  }

  /** @returns {[number, number]} */
  inSight() {
    const each = this.list ? 1 : this.columns, { top, page, height } = this.scroller;
    const a = Math.max(Math.floor(top / height) - 1, 0);
    const b = Math.ceil((top + page) / height) + 1;
    return [a * each, Math.min(b * each, this.kernel.total)];
  }

  draw() {
    if (!this.frame) this.frame = requestAnimationFrame(() => this.paint());
  }

  paint() {
    this.frame = 0;
    if (!this.box.clientWidth) return;
    const [a, b] = this.inSight(), each = this.list ? 1 : this.columns;
    this.kernel.need(a, b);
    const had = this.grid.contains(document.activeElement) && document.activeElement;
    for (const [row, el] of this.rows)
      if (row * each < a || row * each >= b) {
        el.remove();
        this.rows.delete(row);
      }
    for (let row = Math.floor(a / each); row * each < b; row++) this.paintRow(row);
    this.stops();
    if (had && !this.grid.contains(document.activeElement)) this.grid.focus({ preventScroll: true });
    this.rail.frame(this.firstPlace, b);
    this.stacked();
    const sight = `${a} ${b}`;
    if (sight === this.sight) return;
    this.sight = sight;
    clearTimeout(this.quiet);
    this.quiet = window.setTimeout(() => this.look(), this.looked ? QUIET : 0);
  }

  /** @param {number} row */
  paintRow(row) {
    const each = this.list ? 1 : this.columns;
    let el = this.rows.get(row);
    if (!el) {
      el = make("div", this.list ? "pg-lr" : "pg-r", "", { role: "row" });
      el.setAttribute("aria-rowindex", String(row + (this.list ? 2 : 1)));
      if (this.list) el.append(...makeListRow());
      else for (let i = 0; i < each; i++) el.append(makeCell());
      [...el.children].forEach((cell, i) => cell.setAttribute("aria-colindex", String(i + 1)));
      this.rows.set(row, el);
      this.canvas.append(el);
    }
    el.style.transform = `translateY(${this.scroller.shift + row * this.scroller.height}px)`;
    if (this.list) {
      el.dataset.place = String(row);
      paintListRow(el, this.kernel.cells.get(row), this.kernel.pictures.get(row));
      return;
    }
    for (let i = 0; i < each; i++) {
      const place = row * each + i, cell = el.children[i];
      cell.hidden = place >= this.kernel.total;
      cell.dataset.place = String(place);
      if (!cell.hidden) paintCell(cell, this.kernel.cells.get(place), this.kernel.pictures.get(place));
    }
  }

  /** Let Tab stop once: at the active cell, or at the grid where that is out of sight. */
  stops() {
    const active = this.cellOf(this.gestures.active);
    for (const one of this.canvas.querySelectorAll('[tabindex="0"]')) if (one !== active) one.tabIndex = -1;
    if (active) active.tabIndex = 0;
    this.grid.tabIndex = active ? -1 : 0;
  }

  /** @param {number} place */
  cellOf(place) {
    const each = this.list ? 1 : this.columns;
    const row = this.rows.get(Math.floor(place / each));
    return row && (this.list ? row.firstElementChild : row.children[place % each]);
  }

  clearRows() {
    this.rows.clear();
    this.canvas.replaceChildren();
  }

  look() {
    this.looked = true;
    const [a, b] = this.inSight();
    const places = [];
    for (let i = a; i < Math.min(b, a + 200); i++) places.push(i);
    this.kernel.look(places);
  }

  /** @param {number} place */
  show(place) {
    this.scroller.show(Math.floor(place / (this.list ? 1 : this.columns)));
    this.paint();
    this.cellOf(place)?.focus({ preventScroll: true });
  }

  /** Show beside the pictures what is known of the one in focus, where there is room. */
  inspect() {
    const room = this.root.clientWidth >= ROOM;
    if (room && this.aside.place !== this.gestures.active) this.aside.show(this.gestures.active);
  }

  focus() {
    this.show(this.gestures.active);
  }

  /** @param {number} place */
  goto(place) {
    this.scroller.go(Math.floor(place / (this.list ? 1 : this.columns)) * this.scroller.height);
  }

  // What is chosen

  chose() {
    const { choice } = this.kernel;
    const more = [choice.size, choice.more].filter(Boolean).join(" · ");
    const head = this.review ? `${choice.text} ${choice.size}` : choice.text;
    this.sum.replaceChildren(make("b", "", choice.n ? head : "Nothing selected"),
      make("span", "pg-mut", !choice.n ? "Click a picture, or press Space" : this.review ? choice.more : more));
    if (this.those) this.those.hidden = !choice.n;
    this.code.querySelector("code").textContent = choice.code ?? this.facts.code;
    this.refusal.hidden = !choice.refusal;
    if (this.refused.textContent !== (choice.refusal ?? "")) this.refused.textContent = choice.refusal ?? "";
    offer(this.way, choice.way);
    if (this.review) {
      this.review.firstElementChild.textContent = choice.review;
      this.review.disabled = !choice.ready;
    }
    this.undo.disabled = !choice.undo;
    this.clear.disabled = !choice.n;
    this.draw();
    this.rail.paint(this.inSight()[1] - this.inSight()[0]);
    if (this.told) this.say([choice.text, choice.n ? more : ""].filter(Boolean).join(", "));
    this.told = true;
  }

  /** Show the last chosen pictures, as far as they are in the page. */
  stacked() {
    const urls = [];
    for (const [place, cell] of this.kernel.cells)
      if (cell.chosen && this.kernel.pictures.get(place)?.url) urls.push(this.kernel.pictures.get(place)?.url);
    const last = urls.slice(-5);
    if (last.join() === this.stackedUrls) return;
    this.stackedUrls = last.join();
    this.stack.replaceChildren(...last.map((url) => make("img", "", "", { alt: "", src: String(url) })));
  }

  /** @param {string} text */
  say(text) {
    clearTimeout(this.spoken); // A sentence a second at most.
    this.spoken = window.setTimeout(() => (this.live.textContent = text), 300);
  }

  /** @param {number} n */
  stretch(n) {
    this.chip.hidden = n < 2;
    this.chip.textContent = `${n.toLocaleString("en")} in this stretch`;
  }

  ranges() {
    this.gestures.ranging = !this.gestures.ranging;
    this.range.setAttribute("aria-pressed", String(this.gestures.ranging));
  }

  /** @param {any} part */
  toggle(part) {
    part.hidden = !part.hidden;
  }
}
