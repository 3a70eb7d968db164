// @ts-check
// A cell of the grid, and a row of the list.

const WIDEST = 176; // Pixels of a cell, at least.
const LIST_ROW = 40;

const COLUMNS = [
  ["Name", "name", "name, A to Z", "name, Z to A"],
  ["Size", "size", "largest first", "smallest first"],
  ["Uploaded", "date", "newest first", "oldest first"],
  ["Pixels", "pixels"],
  ["Type", "kind"],
  ["Seen by", "seen"],
  ["Known of it", "badge"],
];

/**
 * Say in a sentence what a cell shows.
 * @param {any} cell
 */
function sentence(cell) {
  const more = [cell.badge, cell.chosen && cell.spared ? `would be spared: ${cell.spared}` : ""];
  return [cell.whole, cell.size, cell.date, cell.seen, ...more].filter(Boolean).join(", ");
}

/** Make an empty cell of the grid. */
function makeCell() {
  const cell = make("div", "pg-c", "", { role: "gridcell", tabindex: "-1" });
  const check = make("span", "pg-ck", "", { "aria-hidden": "true" });
  check.append(sign("check"));
  const open = make("span", "pg-open", "", { "aria-hidden": "true", title: "Look large (Enter)" });
  open.append(sign("open"));
  const pic = make("div", "pg-pic pg-wait");
  const badges = make("div", "pg-bd");
  const caption = make("div", "pg-cap");
  caption.append(make("span", "pg-nm"), make("div", "pg-mt"));
  pic.append(badges);
  cell.append(check, open, pic, caption);
  return cell;
}

/**
 * Bring a cell of the grid in line with what is known.
 * @param {any} el
 * @param {any} cell
 * @param {{ url: string, why: string } | undefined} picture
 */
function paintCell(el, cell, picture) {
  const key = cell ? `${sentence(cell)}|${cell.chosen}` : "";
  const [check, , pic, caption] = el.children;
  if (cell) paintPicture(pic, cell, picture);
  if (el.dataset.key === key) return;
  el.dataset.key = key;
  const spared = Boolean(cell?.chosen && cell.spared);
  el.classList.toggle("pg-spared", spared);
  el.setAttribute("aria-selected", cell?.chosen ? "true" : "false");
  el.setAttribute("aria-label", cell ? sentence(cell) : "not read yet");
  check.replaceChildren(sign(spared ? "shield" : "check"));
  const [name, meta] = caption.children;
  name.textContent = cell ? cell.name : "";
  name.title = cell ? cell.whole : "";
  meta.textContent = !cell ? "" : spared ? `spared: ${cell.spared}` : `${cell.size} · ${cell.date}`;
  paintBadge(pic.lastElementChild, cell);
}

/**
 * @param {any} place
 * @param {any} cell
 */
function paintBadge(place, cell) {
  place.replaceChildren();
  if (!cell?.badge) return;
  const tag = make("span", `pg-tag ${cell.sign === "warn" ? "pg-warn" : ""}`);
  tag.append(sign(cell.sign), make("span", "", cell.badge));
  place.append(tag);
}

/** Make an empty row of the list: its cells are all one place. */
function makeListRow() {
  const row = [];
  const check = make("div", "pg-lc pg-lck", "", { role: "gridcell", tabindex: "-1" });
  const disc = make("span", "pg-ck", "", { "aria-hidden": "true" });
  disc.append(sign("check"));
  const pic = make("div", "pg-pic pg-lp pg-wait");
  pic.append(make("div"));
  check.append(disc, pic);
  row.push(check);
  for (const [, key] of COLUMNS) row.push(make("div", `pg-lc pg-l-${key}`, "", { role: "gridcell" }));
  return row;
}

/**
 * @param {any} row
 * @param {any} cell
 * @param {{ url: string, why: string } | undefined} picture
 */
function paintListRow(row, cell, picture) {
  const [check, ...others] = row.children;
  if (cell) paintPicture(check.lastElementChild, cell, picture);
  row.setAttribute("aria-selected", cell?.chosen ? "true" : "false");
  const spared = Boolean(cell?.chosen && cell.spared);
  if (row.classList.contains("pg-spared") !== spared) {
    row.classList.toggle("pg-spared", spared);
    check.firstElementChild.replaceChildren(sign(spared ? "shield" : "check"));
  }
  check.setAttribute("aria-selected", cell?.chosen ? "true" : "false");
  check.setAttribute("aria-label", cell ? sentence(cell) : "not read yet");
  others.forEach((/** @type {any} */ el, /** @type {number} */ i) => {
    const key = COLUMNS[i][1];
    const text = !cell ? "" : key === "badge" && cell.chosen && cell.spared
      ? `spared: ${cell.spared}` : String(cell[key]);
    if (el.textContent !== text) el.textContent = text;
    if (key === "name") el.title = cell ? cell.whole : "";
  });
}
