// @ts-check
// A picture that came as bytes, and its place on the page.

const CROP = 0.34; // A picture fills its cell if no more than this is cut away.

/** @param {DataView | ArrayBuffer | Uint8Array | undefined} buffer */
function bytes(buffer) {
  if (!buffer) return new Uint8Array();
  if (buffer instanceof ArrayBuffer) return new Uint8Array(buffer);
  return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength);
}

/**
 * Give a picture an address within this page, if its kind is one that a page may be given.
 * @param {Uint8Array} data
 * @param {string} kind
 */
function address(data, kind) {
  if (!["webp", "png", "jpeg", "gif"].includes(kind) || !data.length) return "";
  return URL.createObjectURL(new Blob([/** @type {BlobPart} */ (data)], { type: `image/${kind}` }));
}

/**
 * Put a picture, its placeholder or a waiting mat into a place.
 * @param {any} pic
 * @param {any} cell
 * @param {{ url: string, why: string } | undefined} picture
 */
function paintPicture(pic, cell, picture) {
  const state = picture ? picture.url || `why:${picture.why}` : "wait";
  if (pic.dataset.state === state) return;
  pic.dataset.state = state;
  pic.querySelector(".pg-gap")?.remove();
  pic.querySelector("img")?.remove();
  pic.classList.toggle("pg-wait", !picture);
  pic.classList.toggle("pg-ph", Boolean(picture && !picture.url));
  if (picture?.url) {
    const image = make("img", "", "", { alt: "", draggable: "false" });
    const crop = cell.ratio ? 1 - Math.min(cell.ratio, 4 / 3) / Math.max(cell.ratio, 4 / 3) : 1;
    image.className = crop <= CROP ? "" : "pg-fit";
    image.src = picture.url;
    pic.prepend(image);
  } else if (picture) {
    const gap = make("span", "pg-gap");
    gap.append(sign(cell.seen === "public" ? "broken" : "lock"), make("span", "", picture.why));
    pic.prepend(gap);
  }
}
