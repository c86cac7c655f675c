// One image at a time: what was given, which part of it is read, and what came of it.

import { clearAnswer, showAnswer, showVerdict } from "./answer.js";
import { decode, upscale } from "./api.js";
import { byId } from "./dom.js";
import { Refusal, refusal, silent } from "./refusal.js";
import { showRequest } from "./request.js";
import { Region } from "./region.js";
import { Viewer } from "./viewer.js";

const LOSSLESS_PIXELS = 250_000;
/** Larger images come back as WebP: their PNG would take long on a phone's network. */

const area = ({ width, height }) => width * height;

/** Size of a picture as displayed, or null where the browser cannot show it. */
async function sizeOf(url) {
  const image = new Image();
  image.src = url;
  try {
    await image.decode();
  } catch {
    return null;
  }
  return { width: image.naturalWidth, height: image.naturalHeight };
}

export class Session {
  limits = { max_body_bytes: Infinity, max_decode_pixels: Infinity, max_upscale_pixels: Infinity, patience_s: 60 };
  /** Of the service, until it has told its own. */
  #viewer = new Viewer();
  #region = new Region(() => this.#readRegion());
  /** What the user gave: blob, name, url, and its size where the browser can show it. */
  #source = null;
  /** What was last sent of it. */
  #job = null;
  /** Where the region last read was. */
  #box = null;
  #turn = 0;
  #control = null;
  #urls = new Set();

  /** Called with name, blob and symbols of every answer. */
  onAnswer = () => {};

  constructor() {
    byId("symbols").addEventListener("look", ({ detail }) => this.#viewer.point(detail));
    byId("select").addEventListener("click", () => this.#toggleSelector());
    byId("cancel-region").addEventListener("click", () => this.#leaveSelector());
    byId("selector").addEventListener("keydown", ({ key }) => key === "Escape" && this.#leaveSelector());
    byId("whole").addEventListener("click", () => this.#readWhole());
    byId("retry").addEventListener("click", () => this.again());
  }

  /**
   * Read an image. It may be a promise of one, or of null where it did not come; the latest one given counts.
   *
   * @param others what is known of other readers, for a sample.
   * @returns whether no other image was given meanwhile.
   */
  async take(given, name, others = null) {
    const turn = ++this.#turn;
    const blob = await given;
    if (!blob || turn !== this.#turn) return false;
    const signal = this.#begin();
    document.body.classList.add("at-work");
    byId("answer").hidden = false;
    clearAnswer();
    const url = URL.createObjectURL(blob);
    const size = await sizeOf(url);
    if (signal.aborted) {
      URL.revokeObjectURL(url);
      return false;
    }
    this.#urls.add(url);
    this.#source = { blob, name, url, size, others };
    this.#box = null;
    byId("select").hidden = !size;
    if (size) byId("photo-image").src = url;
    const reading = this.#readWhole();
    bringIntoView(byId("answer"));
    await reading;
    return turn === this.#turn;
  }

  /** Send the same once more. */
  async again() {
    if (this.#job) await this.#read(this.#job);
  }

  async #readWhole() {
    byId("whole").hidden = true;
    await this.#read(this.#source);
  }

  async #readRegion() {
    let blob;
    try {
      blob = await this.#region.cut();
    } catch (error) {
      showVerdict("error", "That region could not be cut out.", error.message);
      return;
    }
    const box = (this.#box = this.#region.box);
    byId("whole").hidden = false;
    await this.#read({ blob, name: "region.png", url: this.#urlOf(blob), size: { width: box.w, height: box.h } });
    byId("status").focus({ preventScroll: true });
    bringIntoView(byId("answer"));
  }

  /** End what is under way. */
  #begin() {
    this.#control?.abort();
    this.#control = new AbortController();
    showVerdict("busy", "Reading …");
    return this.#control.signal;
  }

  async #read(job) {
    this.#job = job;
    const signal = this.#begin();
    this.#showSelector(false);
    clearAnswer();
    byId("retry").hidden = true;
    byId("download").hidden = true;
    byId("viewer").hidden = !job.size;
    document.querySelector(".picture").hidden = !job.size;
    if (job.size) this.#viewer.show(job.url, job.size);
    this.#forgetUrls();
    try {
      await this.#answered(job, signal);
    } catch (error) {
      if (error.name === "AbortError") return;
      if (!(error instanceof Refusal)) throw error;
      this.#refused(error);
    }
  }

  async #answered(job, signal) {
    const { max_body_bytes, max_decode_pixels, max_upscale_pixels } = this.limits;
    // Both would be refused; a phone need not send ten megabytes to learn that.
    if (job.blob.size > max_body_bytes) throw refusal("body_too_large");
    if (job.size && area(job.size) > max_decode_pixels) throw refusal("image_too_large");
    const began = performance.now();
    const answer = await this.#patiently(decode(job.blob, job.name, signal));
    const elapsed = performance.now() - began;
    // The service's word on the size holds: it is the frame of the corners.
    if (job.size && (job.size.width !== answer.image.width || job.size.height !== answer.image.height)) {
      this.#viewer.show(job.url, answer.image);
    }
    this.#viewer.showSymbols(answer.symbols);
    showAnswer(answer, elapsed, job.others);
    showRequest(job.name || "image.png", this.limits.needs_key);
    this.onAnswer(job.name || "image", job.blob, answer.symbols);
    const enlargeable = area(answer.image) <= max_upscale_pixels;
    this.#verdict(answer, job, enlargeable);
    if (enlargeable && job.size) await this.#enlarged(answer, job, signal);
  }

  async #enlarged(answer, job, signal) {
    const format = area(answer.image) <= LOSSLESS_PIXELS ? "png" : "webp";
    this.#viewer.note("enlarging …");
    let image;
    try {
      image = await this.#patiently(upscale(job.blob, job.name, format, signal));
    } catch (error) {
      // What was read stays read.
      if (!(error instanceof Refusal)) throw error;
      this.#viewer.note(`the ×4 image did not come. ${error.title}`);
      byId("retry").hidden = !error.again;
      return;
    }
    const url = this.#urlOf(image);
    this.#viewer.showResult(url);
    const name = (job.name || "image").replace(/\.[^.]*$/, "");
    Object.assign(byId("download"), { href: url, download: `${name}-x4.${format}`, hidden: false });
  }

  /** What `asking` gives, but no later than the service itself would give up: nobody shall wait for ever. */
  async #patiently(asking) {
    const control = this.#control;
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      control.abort();
    }, 1000 * this.limits.patience_s);
    try {
      return await asking;
    } catch (error) {
      throw late ? silent() : error;
    } finally {
      clearTimeout(timer);
    }
  }

  #verdict(answer, job, enlargeable) {
    const count = answer.symbols.length;
    if (count) {
      const helped = answer.symbols.every(({ attempt }) => /^(sr|soft)/.test(attempt));
      const hint = helped
        ? "Only after the network had enlarged it ×4."
        : "The upload was readable as it is; the network was not needed.";
      showVerdict("read", count === 1 ? "Read" : `Read ${count} symbols`, hint);
    } else if (!enlargeable) {
      showVerdict("unread", "Nothing read in the whole picture", "It is too large to be enlarged. Select the code in it.");
      if (job === this.#source && job.size) this.#openSelector();
    } else if (!answer.complete) {
      const again = answer.incomplete.retry;
      const hint = again
        ? "A reader took too long, so there may be a code after all."
        : "Not every reader could finish with this picture, and will not another time. Select just the code.";
      showVerdict("unread", "Not read this time", hint);
      byId("retry").hidden = !again;
    } else {
      const hint = "Select just the code, with the white margin round it. If this was just the code, it is beyond this service.";
      showVerdict("unread", "Not read", hint);
    }
  }

  #refused(error) {
    const shown = Boolean(this.#source?.size);
    const large = ["body_too_large", "image_too_large"].includes(error.code);
    let { advice } = error;
    if (shown && error.code === "unsupported_image_format") {
      advice = "This browser can show it: select the code, and the region is sent as PNG.";
    } else if (shown && large) {
      advice = "Select the code in it: only the region is sent.";
    }
    if (error.wait) advice += ` Wait ${error.wait}\u00a0s.`;
    showVerdict("error", error.title, advice);
    byId("retry").hidden = !error.again;
    if (error.code === "unauthorized") {
      byId("key-form").hidden = false;
      byId("key").focus();
    }
    if (shown && large && this.#job === this.#source) this.#openSelector();
  }

  #showSelector(shown) {
    byId("selector").hidden = !shown;
    byId("viewer").hidden = shown;
    byId("select").setAttribute("aria-pressed", String(shown));
  }

  #openSelector() {
    document.querySelector(".picture").hidden = false;
    this.#showSelector(true);
    this.#region.open(this.#source.size, this.#box);
  }

  #toggleSelector() {
    if (!byId("selector").hidden) {
      this.#showSelector(false);
      return;
    }
    this.#openSelector();
    byId("box").focus();
  }

  #leaveSelector() {
    this.#showSelector(false);
    byId("select").focus();
  }

  #urlOf(blob) {
    const url = URL.createObjectURL(blob);
    this.#urls.add(url);
    return url;
  }

  /** Let go of the pictures that are no longer shown. */
  #forgetUrls() {
    for (const url of this.#urls) {
      if (url === this.#source.url || url === this.#job.url) continue;
      URL.revokeObjectURL(url);
      this.#urls.delete(url);
    }
  }
}

/** Scroll to what has come, unless it begins in view already. */
function bringIntoView(answer) {
  const { top } = answer.getBoundingClientRect();
  if (top < 0 || top > innerHeight / 2) answer.scrollIntoView({ block: "start", behavior: "smooth" });
}
