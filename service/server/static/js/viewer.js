// Upload and ×4 result in one frame: a divider between them, zoom in whole steps of a pixel, outlines.

import { byId } from "./dom.js";

const ZOOMS = [0.125, 0.25, 0.5, 1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48];
/** Of `deltaY`: a mouse gives a hundred or so for a notch, a touchpad many small ones. */
const NOTCH = 40;
const SVG = "http://www.w3.org/2000/svg";

export class Viewer {
  #size = { width: 1, height: 1 };
  #zoom = 1;
  #fitted = true;
  #share = 0.5;
  #outlined = true;
  /** How far the wheel has turned since the last step. */
  #turned = 0;
  /** What zooming keeps in view: the middle of the symbol, in shares of width and height. */
  #target = [0.5, 0.5];

  constructor() {
    this.plane = byId("plane");
    this.scroll = byId("scroll");
    this.divider = byId("divider");
    byId("zoom-in").addEventListener("click", () => this.#step(1));
    byId("zoom-out").addEventListener("click", () => this.#step(-1));
    byId("zoom-fit").addEventListener("click", () => this.#fit());
    byId("outline").addEventListener("click", () => this.#toggleOutline());
    this.scroll.addEventListener("wheel", (event) => this.#wheel(event), { passive: false });
    // A picture that is dragged off the page would come back as a file that is none.
    byId("stage").addEventListener("dragstart", (event) => event.preventDefault());
    this.scroll.addEventListener("scroll", () => this.#cut(), { passive: true });
    new ResizeObserver(() => (this.#fitted ? this.#fit() : this.#cut())).observe(this.scroll);
    this.#watchDivider();
    this.#watchPan();
  }

  /** Show an upload of `size` pixels as displayed; the result comes later, if at all. */
  show(url, size) {
    this.#size = size;
    const upload = byId("upload");
    upload.hidden = !url;
    if (url) upload.src = url;
    upload.alt = `The upload, ${size.width} by ${size.height} pixels`;
    this.showResult(null);
    this.showSymbols([]);
    this.note();
    this.#fit();
  }

  /** Say how large the picture is, and what else there is to say. */
  note(more = "") {
    byId("legend").textContent = [`${this.#size.width} × ${this.#size.height} pixels`, more].filter(Boolean).join(", ");
  }

  showResult(url) {
    const result = byId("result");
    result.hidden = !url;
    for (const id of ["divider", "tag-upload", "tag-result"]) byId(id).hidden = !url;
    if (!url) {
      result.removeAttribute("src");
      return;
    }
    const { width, height } = this.#size;
    result.src = url;
    result.alt = `The result, ${4 * width} by ${4 * height} pixels`;
    byId("legend").textContent = `${width} × ${height} → ${4 * width} × ${4 * height} pixels`;
    this.#split(0.5);
  }

  showSymbols(symbols) {
    const svg = byId("outlines");
    svg.setAttribute("viewBox", `0 0 ${this.#size.width} ${this.#size.height}`);
    svg.setAttribute("preserveAspectRatio", "none");
    const shapes = symbols.flatMap(({ points }, index) =>
      ["under", "over"].map((layer) => {
        const shape = document.createElementNS(SVG, "polygon");
        shape.setAttribute("points", points.map((point) => point.join(",")).join(" "));
        shape.setAttribute("class", layer);
        shape.dataset.number = String(index + 1);
        return shape;
      }),
    );
    if (symbols.length > 1) shapes.push(...symbols.map(({ points }, index) => this.#number(points, index + 1)));
    svg.replaceChildren(...shapes);
    const corners = symbols[0]?.points ?? [];
    const middle = (axis, side) => corners.reduce((sum, point) => sum + point[axis], 0) / corners.length / side;
    this.#target = corners.length ? [middle(0, this.#size.width), middle(1, this.#size.height)] : [0.5, 0.5];
    byId("outline").hidden = !symbols.length;
    svg.toggleAttribute("hidden", !symbols.length || !this.#outlined);
  }

  /** The number that the symbol has in the list, in its middle. */
  #number(points, number) {
    const text = document.createElementNS(SVG, "text");
    const middle = (axis) => points.reduce((sum, point) => sum + point[axis], 0) / points.length;
    const side = Math.hypot(points[1][0] - points[0][0], points[1][1] - points[0][1]);
    text.setAttribute("x", String(middle(0)));
    text.setAttribute("y", String(middle(1)));
    text.setAttribute("font-size", String(side / 2.5));
    text.dataset.number = String(number);
    text.textContent = String(number);
    return text;
  }

  /** Let one symbol's outline stand out, or none. */
  point({ number, on }) {
    for (const shape of byId("outlines").children) {
      shape.classList.toggle("looked-at", on && shape.dataset.number === String(number));
    }
  }

  #toggleOutline() {
    this.#outlined = !this.#outlined;
    byId("outline").setAttribute("aria-pressed", String(this.#outlined));
    byId("outlines").toggleAttribute("hidden", !this.#outlined);
  }

  #fit() {
    const { width, height } = this.#size;
    const margin = 24;
    const fitting = Math.min((this.scroll.clientWidth - margin) / width, (this.scroll.clientHeight - margin) / height);
    this.#fitted = true;
    this.#apply(fitting >= 1 ? Math.floor(fitting) : Math.max(fitting, 0.01), [0.5, 0.5]);
  }

  #step(direction) {
    const next =
      direction > 0
        ? (ZOOMS.find((zoom) => zoom > this.#zoom + 1e-6) ?? ZOOMS.at(-1))
        : (ZOOMS.findLast((zoom) => zoom < this.#zoom - 1e-6) ?? Math.min(this.#zoom, ZOOMS[0]));
    // No more than canvases and screens can bear.
    const bound = 16_000 / Math.max(this.#size.width, this.#size.height);
    this.#fitted = false;
    this.#apply(Math.min(next, Math.max(bound, 1)), this.#aim());
  }

  /** One step for each notch, at the place under the pointer. */
  #wheel(event) {
    event.preventDefault();
    this.#turned = Math.sign(event.deltaY) === Math.sign(this.#turned) ? this.#turned + event.deltaY : event.deltaY;
    if (Math.abs(this.#turned) < NOTCH) return;
    const direction = this.#turned < 0 ? 1 : -1;
    this.#turned = 0;
    const view = this.scroll.getBoundingClientRect();
    const before = this.plane.getBoundingClientRect();
    const place = [(event.clientX - before.left) / before.width, (event.clientY - before.top) / before.height];
    this.#step(direction);
    this.scroll.scrollLeft = this.plane.offsetLeft + place[0] * this.plane.offsetWidth - (event.clientX - view.left);
    this.scroll.scrollTop = this.plane.offsetTop + place[1] * this.plane.offsetHeight - (event.clientY - view.top);
  }

  /** What shall be in the middle of the view: the symbol if one sees it, else what is there now. */
  #aim() {
    const view = this.scroll.getBoundingClientRect();
    const plane = this.plane.getBoundingClientRect();
    const x = plane.left + this.#target[0] * plane.width;
    const y = plane.top + this.#target[1] * plane.height;
    if (x > view.left && x < view.right && y > view.top && y < view.bottom) return this.#target;
    const middle = (start, size, of, side) => (start + size / 2 - of) / side;
    return [
      middle(view.left, view.width, plane.left, plane.width),
      middle(view.top, view.height, plane.top, plane.height),
    ];
  }

  #apply(zoom, centre) {
    const { scroll, plane } = this;
    this.#zoom = zoom;
    plane.style.setProperty("--w", `${this.#size.width * zoom}px`);
    plane.style.setProperty("--h", `${this.#size.height * zoom}px`);
    // Below four screen pixels an upload pixel, the result is being reduced, and smoothly is better.
    plane.classList.toggle("smooth", zoom * devicePixelRatio < 4);
    scroll.scrollLeft = plane.offsetLeft + centre[0] * plane.offsetWidth - scroll.clientWidth / 2;
    scroll.scrollTop = plane.offsetTop + centre[1] * plane.offsetHeight - scroll.clientHeight / 2;
    const percent = zoom >= 1 ? `${Math.round(zoom * 10) / 10}×` : `${Math.round(zoom * 100)} %`;
    byId("zoom-level").textContent = percent;
    plane.classList.toggle("loose", !this.#fitted);
    byId("zoom-fit").setAttribute("aria-pressed", String(this.#fitted));
    this.#cut();
  }

  #split(share) {
    this.#share = Math.min(Math.max(share, 0), 1);
    this.divider.style.setProperty("--at", `${100 * this.#share}%`);
    const percent = Math.round(100 * this.#share);
    this.divider.setAttribute("aria-valuenow", String(percent));
    this.divider.setAttribute("aria-valuetext", `${percent} % upload, ${100 - percent} % result`);
    this.#cut();
  }

  /** The divider stands still while the picture scrolls under it. */
  #cut() {
    const at = this.#share * this.scroll.clientWidth + this.scroll.scrollLeft - this.plane.offsetLeft;
    const width = this.plane.offsetWidth;
    this.plane.style.setProperty("--cut", `${Math.min(Math.max(at, 0), width)}px`);
  }

  #watchDivider() {
    const { divider } = this;
    const follow = (event) => {
      const box = this.scroll.getBoundingClientRect();
      this.#split((event.clientX - box.left) / box.width);
    };
    divider.addEventListener("pointerdown", (event) => {
      event.preventDefault();
      divider.focus({ preventScroll: true });
      divider.setPointerCapture(event.pointerId);
      follow(event);
    });
    divider.addEventListener("pointermove", (event) => {
      if (divider.hasPointerCapture(event.pointerId)) follow(event);
    });
    divider.addEventListener("keydown", (event) => {
      const steps = { ArrowLeft: -0.02, ArrowDown: -0.02, ArrowRight: 0.02, ArrowUp: 0.02, PageDown: -0.1, PageUp: 0.1, Home: -1, End: 1 };
      if (!(event.key in steps)) return;
      event.preventDefault();
      this.#split(this.#share + steps[event.key]);
    });
  }

  /** Drag the picture about with the mouse; fingers scroll by themselves. */
  #watchPan() {
    const { scroll, plane } = this;
    let from = null;
    plane.addEventListener("pointerdown", (event) => {
      if (event.pointerType !== "mouse" || event.button !== 0) return;
      event.preventDefault();
      plane.setPointerCapture(event.pointerId);
      from = { x: event.clientX + scroll.scrollLeft, y: event.clientY + scroll.scrollTop };
    });
    plane.addEventListener("pointermove", (event) => {
      if (!from || !plane.hasPointerCapture(event.pointerId)) return;
      scroll.scrollLeft = from.x - event.clientX;
      scroll.scrollTop = from.y - event.clientY;
    });
  }
}
