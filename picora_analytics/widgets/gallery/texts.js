// @ts-check
// Elements, signs and words. Strangers' text becomes text nodes and attributes, never markup.

const SVG = "http://www.w3.org/2000/svg";

/** @type {Record<string, string>} */
const SIGNS = {
  check: "M5 12.5l4.500 4.500L19 7.500",
  link: "M10 14a4 4 0 005.700 0l3-3a4 4 0 10-5.700-5.700l-1 1M14 10a4 4 0 00-5.700 0l-3 3a4 4 0 105.700 5.700l1-1",
  nolink: "M4 4l16 16M9 12l-1.700 1.700a4 4 0 005.700 5.600L14 18.300M15 12l1.700-1.700a4 4 0 00-5.700-5.600L10 5.700",
  search: "M17.500 11a6.500 6.500 0 11-13 0 6.500 6.500 0 0113 0zM16 16l4.500 4.500",
  copy: "M8 8h12v12H8zM8 16H6a2 2 0 01-2-2V6a2 2 0 012-2h8a2 2 0 012 2v2",
  shield: "M12 3l7.500 3v5.500c0 4.500-3.200 8-7.500 9.500-4.300-1.500-7.500-5-7.500-9.500V6zM8.500 12l2.500 2.500 4.500-5",
  lock: "M5 11h14v9H5zM8 11V8a4 4 0 018 0v3",
  eyeoff: "M4 4l16 16M9.500 5.800A9 9 0 0112 5.500c6 0 9.500 6.500 9.500 6.500a17 17 0 01-3 3.600M6 7.600A17 17 0 002.500 12S6 18.500 12 18.500a9 9 0 003.500-.7",
  pin: "M7 4h10v16l-5-4-5 4z",
  broken: "M4 5h16v8l-4-3-4 4-3-3-5 5zM4 19h16v-2",
  warn: "M12 4l9 16H3zM12 10v4.500M12 17.200v.1",
  x: "M6 6l12 12M18 6L6 18",
  code: "M8 7l-5 5 5 5M16 7l5 5-5 5",
  left: "M15 5l-7 7 7 7",
  right: "M9 5l7 7-7 7",
  undo: "M8 5L4 9l4 4M4 9h9a6 6 0 010 12h-3",
  help: "M21 12a9 9 0 11-18 0 9 9 0 0118 0zM9.500 9.500a2.500 2.500 0 114 2c-1 .7-1.500 1.200-1.500 2.200M12 17v.1",
  grid: "M4 4h7v7H4zM13 4h7v7h-7zM4 13h7v7H4zM13 13h7v7h-7z",
  list: "M4 6h16M4 12h16M4 18h16",
  clock: "M20.500 12a8.500 8.500 0 11-17 0 8.500 8.500 0 0117 0zM12 7v5l3.500 2",
  trash: "M4 7h16M9 7V4h6v3M6 7l1 13h10l1-13",
  open: "M14 4h6v6M10 20H4v-6M20 4l-7 7M4 20l7-7",
  swap: "M4 8h13l-3-3M20 16H7l3 3",
  eye: "M2.500 12S6 5.500 12 5.500 21.500 12 21.500 12 18 18.500 12 18.500 2.500 12 2.500 12zM14.800 12a2.800 2.800 0 11-5.600 0 2.800 2.800 0 015.600 0",
  range: "M4 5v14M20 5v14M7 12h10M10 9l-3 3 3 3M14 9l3 3-3 3",
};

const KEYS = [
  ["Move", "← ↑ → ↓"],
  ["Row, list: first and last", "Home End Ctrl+…"],
  ["Select", "Space"],
  ["A stretch", "Shift+arrows"],
  ["All that are listed", "Ctrl+A"],
  ["Swap selected and not", "Ctrl+I"],
  ["Undo the last selection", "Ctrl+Z"],
  ["Look large", "Enter"],
  ["Review, or the line of Python", "Delete"],
  ["Back; twice: select none", "Esc"],
];

/**
 * Make an element.
 * @param {string} tag
 * @param {string} [name] its classes
 * @param {string} [text]
 * @param {Record<string, string>} [attributes]
 * @returns {any}
 */
function make(tag, name = "", text = "", attributes = {}) {
  const made = document.createElement(tag);
  if (name) made.className = name;
  if (text) made.textContent = text;
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}

/**
 * Draw a sign.
 * @param {string} name
 */
function sign(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", "pg-i");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", SIGNS[name] ?? SIGNS.broken);
  svg.append(path);
  return svg;
}

/**
 * Make a button with a sign, a text or both.
 * @param {string} label its accessible name, and its text unless it is a mere sign
 * @param {string} icon
 * @param {() => void} act
 * @param {{ bare?: boolean, name?: string, signal: AbortSignal }} options
 */
function button(label, icon, act, { bare = false, name = "", signal }) {
  const made = make("button", `pg-b ${bare ? "pg-icon" : ""} ${name}`, "", { type: "button" });
  if (icon) made.append(sign(icon));
  if (bare) made.title = label;
  // Where there is little room, an optional text is not shown.
  if (bare || name.includes("pg-opt")) made.setAttribute("aria-label", label);
  if (!bare) made.append(make("span", "", label));
  made.addEventListener("click", act, { signal });
  return made;
}

/**
 * Tell whether the page around an element is dark, in whichever notebook.
 * @param {Element} el
 */
function isDark(el) {
  const lab = el.closest("[data-jp-theme-light]")?.getAttribute("data-jp-theme-light")
    ?? document.body.getAttribute("data-jp-theme-light");
  if (lab) return lab === "false";
  const code = document.body.dataset.vscodeThemeKind ?? document.body.className;
  if (/vscode-dark|vscode-high-contrast(?!-light)|\bdark(-theme)?\b/.test(code)) return true;
  if (/vscode-light/.test(code)) return false;
  for (let one = /** @type {Element | null} */ (el); one; one = one.parentElement) {
    const found = getComputedStyle(one).backgroundColor.match(/[\d.]+/g)?.map(Number);
    if (found && (found[3] ?? 1) > 0.5)
      return 0.299 * found[0] + 0.587 * found[1] + 0.114 * found[2] < 110;
  }
  return false;
}

/**
 * Keep the keys of an element from the notebook around it, whose commands would delete cells; Tab and saving are its own.
 * @param {HTMLElement} root
 * @param {AbortSignal} signal
 * @param {(event: any) => void} act
 */
function keepKeys(root, signal, act) {
  const passed = (/** @type {KeyboardEvent} */ event) =>
    event.key === "Tab" || ((event.ctrlKey || event.metaKey) && event.key === "s");
  // Notebook 7 hears each key before the page does, but heeds this on what has the focus; JupyterLab hears last.
  const heed = (/** @type {any} */ event) => {
    if (root.contains(event.target)) event.target.toggleAttribute("data-lm-suppress-shortcuts", !passed(event));
  };
  window.addEventListener("keydown", heed, { capture: true, signal });
  root.addEventListener("keydown", (event) => {
    if (passed(event)) return;
    event.stopPropagation();
    act(event);
  }, { signal });
}
