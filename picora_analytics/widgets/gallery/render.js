// @ts-check
// What anywidget asks for: the gallery of a model, in a place of the page, until it is taken away.

export default {
  /** @param {{ model: any, el: HTMLElement, signal?: AbortSignal }} context */
  render({ model, el, signal }) {
    const ended = new AbortController();
    signal?.addEventListener("abort", () => ended.abort(), { once: true });
    new Gallery(model, el, ended.signal);
    return () => ended.abort();
  },
};
