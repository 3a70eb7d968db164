// @ts-check
// The controls around the pictures.

/**
 * The stamp, the title, the search and the form of the list.
 * @param {Gallery} gallery
 */
function makeHead(gallery) {
  const { signal } = gallery;
  const head = make("div", "pg-head");
  if (gallery.facts.stamp) head.append(make("span", "pg-stamp", gallery.facts.stamp));
  head.append(make("h2", "", gallery.facts.title));
  for (const one of gallery.facts.more) head.append(make("span", "pg-mut pg-fact", one));
  const search = make("label", "pg-search");
  gallery.field = make("input", "pg-in", "", {
    type: "search", placeholder: "Name, title, tag or id", "aria-label": "Search", maxlength: "500",
  });
  let typed = 0;
  gallery.field.addEventListener("input", () => {
    clearTimeout(typed);
    typed = window.setTimeout(() => {
      gallery.kernel.say("find", { text: gallery.field.value });
      gallery.kernel.expect();
    }, 200);
  }, { signal });
  search.append(sign("search"), gallery.field);
  head.append(make("span", "pg-sp"), makeGoing(gallery), search, makeForm(gallery));
  return head;
}

/**
 * Where to go in the list.
 * @param {Gallery} gallery
 */
function makeGoing(gallery) {
  const { signal } = gallery;
  gallery.going = make("input", "pg-in pg-go-to", "", { "aria-label": "Go to", maxlength: "200" });
  gallery.going.addEventListener("keydown", (/** @type {any} */ event) => {
    if (event.key !== "Enter" || !gallery.going.value) return;
    gallery.problem.textContent = "";
    gallery.kernel.say("go", { rev: gallery.kernel.view.rev, text: gallery.going.value });
    gallery.kernel.expect();
  }, { signal });
  return gallery.going;
}

/**
 * The form of the list.
 * @param {Gallery} gallery
 */
function makeForm(gallery) {
  gallery.form = button("As a list", "list", () => gallery.reform(), { bare: true, signal: gallery.signal });
  return gallery.form;
}

/**
 * What the list holds, what can be done with all of it, and its order.
 * @param {Gallery} gallery
 */
function makeLine(gallery) {
  const { signal } = gallery;
  const line = make("div", "pg-line1");
  gallery.count = make("span", "pg-count");
  gallery.all = button("Select all", "check", () => gallery.gestures.all(), { signal });
  gallery.range = button("Stretch", "range", () => gallery.ranges(), { signal, name: "pg-opt" });
  gallery.range.title = "Then choose its other end; the same as Shift and a click";
  gallery.range.setAttribute("aria-pressed", "false");
  gallery.side = button("Side by side", "copy", () => gallery.compare.show(0), { signal });
  gallery.side.hidden = !gallery.kernel.view.groups;
  gallery.busy = make("span", "pg-busy", "", { hidden: "" });
  gallery.busy.textContent = "the kernel is busy; choosing works, pictures follow";
  gallery.order = make("select", "pg-in pg-order", "", { "aria-label": "Order" });
  gallery.order.addEventListener("change", () => {
    gallery.kernel.say("sort", { order: gallery.order.value });
    gallery.kernel.expect();
  }, { signal });
  gallery.offer = button("", "undo", () => gallery.kernel.press(gallery.kernel.view.press[0]), { signal });
  gallery.offer.hidden = true;
  const help = button("Keys", "help", () => gallery.toggle(gallery.keys), { bare: true, signal });
  line.append(
    gallery.count, gallery.all, gallery.offer,
    button("Invert", "swap", () => gallery.kernel.select("invert"), { signal, name: "pg-opt" }),
    gallery.range, gallery.side, gallery.busy, make("span", "pg-sp"),
    ...(gallery.facts.panel ? [makeGoing(gallery)] : []), gallery.order,
    ...(gallery.facts.panel ? [makeForm(gallery)] : []), help,
  );
  return line;
}

/**
 * What is chosen.
 * @param {Gallery} gallery
 */
function makeBar(gallery) {
  const { signal } = gallery;
  const bar = make("div", "pg-bar");
  gallery.stack = make("div", "pg-stack", "", { "aria-hidden": "true" });
  gallery.sum = make("div", "pg-sum");
  gallery.undo = button("Undo the last selection", "undo", () => gallery.kernel.select("undo"), { bare: true, signal });
  gallery.clear = button("Clear", "", () => gallery.kernel.select("none"), { signal });
  bar.append(
    gallery.stack, gallery.sum, make("span", "pg-sp"), gallery.undo,
    button("The line of Python", "code", () => gallery.toggle(gallery.code), { bare: true, signal }), gallery.clear,
  );
  if (gallery.facts.panel) {
    gallery.those = button("List them", "", () => gallery.kernel.press("selected"), { name: "pg-link", signal });
    gallery.sum.after(gallery.those);
    gallery.review = button("Review", "", () => {
      gallery.kernel.say("review");
      gallery.kernel.expect();
    }, { name: "pg-go", signal });
    gallery.review.append(sign("right"));
    bar.append(gallery.review);
  }
  return bar;
}

/** @type {Record<string, string>} */
const OFFERS = { undo: "undo", months: "right" };

/**
 * Give a button that the panel offers its text, or hide it.
 * @param {any} made
 * @param {string[] | null | undefined} press its name and its text
 */
function offer(made, press) {
  made.hidden = !press;
  if (!press) return;
  made.lastElementChild.textContent = press[1];
  made.querySelector("svg")?.replaceWith(sign(OFFERS[press[0]] ?? "left"));
}

/**
 * The line of Python that does the same, and what copies it.
 * @param {Gallery} gallery
 */
function makeCode(gallery) {
  const code = make("div", "pg-py", "", { hidden: "" });
  const line = make("code", "", gallery.facts.code);
  const copy = button("Copy", "copy", async () => {
    await navigator.clipboard.writeText(line.textContent);
    gallery.say("Copied.");
  }, { bare: true, signal: gallery.signal });
  code.append(sign("code"), line, make("span", "pg-sp"), copy);
  return code;
}

/** The keys. */
function makeKeys() {
  const keys = make("div", "pg-pop", "", { hidden: "" });
  const table = make("dl", "pg-dl");
  for (const [what, key] of KEYS) {
    const code = make("dd");
    code.append(make("kbd", "", key));
    table.append(make("dt", "", what), code);
  }
  keys.append(make("h3", "", "Keys in the pictures"), table);
  return keys;
}

/**
 * Ask before a stretch of many is chosen.
 * @param {Gallery} gallery
 * @param {number} n
 * @param {() => void} act
 */
function ask(gallery, n, act) {
  const done = () => {
    gallery.asking.hidden = true;
    gallery.focus();
  };
  const yes = button(`${gallery.gestures.on ? "Select" : "Deselect"} ${n.toLocaleString("en")}`, "", () => {
    act();
    done();
  }, { name: "pg-go", signal: gallery.signal });
  const no = button("No", "", done, { name: "pg-line", signal: gallery.signal });
  gallery.asking.replaceChildren(make("span", "", `This stretch has ${n.toLocaleString("en")} images.`), yes, no);
  gallery.asking.hidden = false;
  no.focus();
}
