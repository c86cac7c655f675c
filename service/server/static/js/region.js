// Choosing a part of a picture with mouse, finger or keyboard, and cutting it out at full resolution.

import { byId } from "./dom.js";

const LEAST = 8;
/** Pixels: the service takes nothing smaller. */
const HIT = 24;
/** Screen pixels round a corner that count as the corner. */

export class Region {
  #size = { width: 1, height: 1 };
  #box = { x: 0, y: 0, w: 1, h: 1 };

  /** @param read called with the box when the user wants it read. */
  constructor(read) {
    this.image = byId("photo-image");
    this.frame = byId("box");
    byId("read-region").addEventListener("click", () => read());
    this.frame.addEventListener("keydown", (event) => this.#key(event, read));
    this.#watch(byId("photo"));
  }

  /** Start with a box in the middle of the picture, or where the last one was. */
  open(size, box) {
    const side = Math.max(LEAST, Math.round(Math.min(size.width, size.height) / 3));
    this.#size = size;
    this.#set(box ?? { x: (size.width - side) / 2, y: (size.height - side) / 2, w: side, h: side });
  }

  get box() {
    return { ...this.#box };
  }

  /** The region as PNG, pixel for pixel as the picture is displayed, EXIF orientation applied. */
  async cut() {
    const { x, y, w, h } = this.#box;
    const canvas = document.createElement("canvas");
    Object.assign(canvas, { width: w, height: h });
    const context = canvas.getContext("2d");
    context.imageSmoothingEnabled = false;
    context.drawImage(this.image, x, y, w, h, 0, 0, w, h);
    const blob = await new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
    if (!blob) throw new Error("the region is larger than this browser can cut out");
    return blob;
  }

  #set({ x, y, w, h }) {
    const { width, height } = this.#size;
    const least = Math.min(LEAST, width, height);
    const whole = { w: Math.round(Math.min(Math.max(w, least), width)), h: Math.round(Math.min(Math.max(h, least), height)) };
    this.#box = {
      ...whole,
      x: Math.round(Math.min(Math.max(x, 0), width - whole.w)),
      y: Math.round(Math.min(Math.max(y, 0), height - whole.h)),
    };
    const style = this.frame.style;
    const { offsetLeft, offsetTop, offsetWidth, offsetHeight } = this.image;
    const [sx, sy] = [offsetWidth / width, offsetHeight / height];
    style.setProperty("--x", `${offsetLeft + this.#box.x * sx}px`);
    style.setProperty("--y", `${offsetTop + this.#box.y * sy}px`);
    style.setProperty("--w", `${this.#box.w * sx}px`);
    style.setProperty("--h", `${this.#box.h * sy}px`);
    byId("box-place").textContent = `${this.#box.w} × ${this.#box.h} pixels at ${this.#box.x}, ${this.#box.y}`;
  }

  #key(event, read) {
    if (event.key === "Enter") {
      event.preventDefault();
      read();
      return;
    }
    const directions = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    const direction = directions[event.key];
    if (!direction) return;
    event.preventDefault();
    const step = event.altKey ? 1 : Math.max(1, Math.round(Math.min(this.#size.width, this.#size.height) / 50));
    const [dx, dy] = direction.map((part) => part * step);
    const { x, y, w, h } = this.#box;
    this.#set(event.shiftKey ? { x, y, w: w + dx, h: h + dy } : { x: x + dx, y: y + dy, w, h });
  }

  #watch(photo) {
    let drag = null;
    let before = null;
    photo.addEventListener("pointerdown", (event) => {
      if (event.button !== 0 || !event.isPrimary) return;
      event.preventDefault();
      photo.setPointerCapture(event.pointerId);
      this.frame.focus({ preventScroll: true });
      before = this.box;
      drag = this.#dragFrom(this.#at(event));
    });
    photo.addEventListener("pointermove", (event) => {
      if (drag && photo.hasPointerCapture(event.pointerId)) drag(this.#at(event));
    });
    photo.addEventListener("lostpointercapture", () => (drag = null));
    // A second finger: the page is being enlarged, and the first finger's way was no selection.
    photo.addEventListener("pointercancel", () => before && this.#set(before));
    new ResizeObserver(() => this.#set(this.#box)).observe(photo);
  }

  /** Picture pixel under the pointer. */
  #at(event) {
    const frame = this.image.getBoundingClientRect();
    return {
      x: ((event.clientX - frame.left) / frame.width) * this.#size.width,
      y: ((event.clientY - frame.top) / frame.height) * this.#size.height,
      slack: (HIT / frame.width) * this.#size.width,
    };
  }

  /** What moving on from `start` does: resize at a corner, move inside, draw a new box elsewhere. */
  #dragFrom(start) {
    const { x, y, w, h } = this.#box;
    const near = (a, b) => Math.abs(a - b) < Math.min(start.slack, Math.max(w, h));
    const left = near(start.x, x);
    const top = near(start.y, y);
    const corner = (left || near(start.x, x + w)) && (top || near(start.y, y + h));
    const inside = start.x > x && start.x < x + w && start.y > y && start.y < y + h;
    if (inside && !(corner && Math.min(w, h) > 2 * start.slack)) {
      return (to) => this.#set({ x: x + to.x - start.x, y: y + to.y - start.y, w, h });
    }
    const anchor = corner ? { x: left ? x + w : x, y: top ? y + h : y } : start;
    return (to) => {
      const clamped = {
        x: Math.min(Math.max(to.x, 0), this.#size.width),
        y: Math.min(Math.max(to.y, 0), this.#size.height),
      };
      this.#set({
        x: Math.min(anchor.x, clamped.x),
        y: Math.min(anchor.y, clamped.y),
        w: Math.abs(clamped.x - anchor.x),
        h: Math.abs(clamped.y - anchor.y),
      });
    };
  }
}
