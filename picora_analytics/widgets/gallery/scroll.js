// @ts-check
// Scrolling through more rows than a browser can make a box for: Chromium ends at 33 million pixels, half of that on
// fine screens, and Firefox at 17. Small steps move as far as they say; jumps are in proportion.

const HIGHEST = 8_000_000;
const EDGE = 1_000_000; // At both ends a pixel of the box is one of the list, so that there is always room to scroll.

class Scroller {
  /**
   * @param {HTMLElement} box what scrolls
   * @param {HTMLElement} canvas its only child, as high as the list
   * @param {() => void} changed
   * @param {AbortSignal} signal
   */
  constructor(box, canvas, changed, signal) {
    this.box = box;
    this.canvas = canvas;
    this.rows = 0;
    this.height = 1;
    this.top = 0; // In pixels of the whole list, however high that is.
    this.last = 0;
    this.changed = changed;
    box.addEventListener("scroll", () => this.scrolled(), { signal, passive: true });
    box.addEventListener("scrollend", () => this.settle(), { signal, passive: true });
  }

  get whole() {
    return this.rows * this.height;
  }

  get page() {
    return this.box.clientHeight;
  }

  get most() {
    return Math.max(this.whole - this.page, 0);
  }

  /** Where a pixel of the list is in the box that scrolls. */
  get shift() {
    return this.box.scrollTop - this.top;
  }

  /**
   * Take another number of rows, or another height of them; the first row in sight stays.
   * @param {number} rows
   * @param {number} height
   * @param {number} first
   */
  resize(rows, height, first) {
    this.rows = rows;
    this.height = height;
    this.canvas.style.height = `${Math.min(this.whole, HIGHEST)}px`;
    this.go(first * height);
  }

  /**
   * Go to a pixel of the list.
   * @param {number} top
   */
  go(top) {
    this.top = Math.min(Math.max(top, 0), this.most);
    this.settle();
    this.changed();
  }

  scrolled() {
    const now = this.box.scrollTop, step = now - this.last;
    this.last = now;
    if (!step) return;
    if (this.whole <= HIGHEST) this.top = now;
    else if (Math.abs(step) < 2 * this.page)
      this.top = Math.min(Math.max(this.top + step, 0), this.most);
    else this.top = this.placeAt(now);
    this.changed();
  }

  /**
   * Say which pixel of the list a place of the scroll bar stands for.
   * @param {number} at
   */
  placeAt(at) {
    const room = HIGHEST - this.page;
    if (at <= EDGE) return at;
    if (at >= room - EDGE) return this.most - (room - at);
    return EDGE + ((at - EDGE) / (room - 2 * EDGE)) * (this.most - 2 * EDGE);
  }

  /** Where the scroll bar should stand for the pixel of the list on top. */
  get wanted() {
    const room = HIGHEST - this.page, { top, most } = this;
    if (this.whole <= HIGHEST || top <= EDGE) return top;
    if (top >= most - EDGE) return room - (most - top);
    return EDGE + ((top - EDGE) / (most - 2 * EDGE)) * (room - 2 * EDGE);
  }

  /** Bring the scroll bar to where it should stand for the place in the list. */
  settle() {
    if (Math.abs(this.box.scrollTop - this.wanted) > 1) {
      this.box.scrollTop = this.wanted;
      this.changed();
    }
    this.last = this.box.scrollTop;
  }

  /**
   * Bring a row into sight.
   * @param {number} row
   */
  show(row) {
    const top = row * this.height;
    if (top < this.top) this.go(top);
    else if (top + this.height > this.top + this.page) this.go(top + this.height - this.page);
  }
}
