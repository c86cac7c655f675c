// The page: where images come from, what is sent, and which state it is in.

import { clearAnswer, showAnswer, showVerdict } from "./answer.js";
import { Refusal, decode, refusal, settings, upscale, useKey } from "./api.js";
import { Region } from "./region.js";
import { Viewer } from "./viewer.js";

const byId = (id) => document.getElementById(id);
const LOSSLESS_PIXELS = 250_000;
/** Larger images come back as WebP: their PNG would take long on a phone's network. */

const viewer = new Viewer();
const region = new Region(readRegion);
let limits = { max_body_bytes: Infinity, max_upscale_pixels: Infinity, max_decode_pixels: Infinity };
/** What the user gave: blob, name, url, and its size where the browser can show it. */
let source = null;
/** What was last sent of it. */
let last = null;
let lastBox = null;
let running = null;
const urls = new Set();

function urlOf(blob) {
  const url = URL.createObjectURL(blob);
  urls.add(url);
  return url;
}

function forgetUrls(keep) {
  for (const url of urls) {
    if (url === keep) continue;
    URL.revokeObjectURL(url);
    urls.delete(url);
  }
}

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

/** Take an image from wherever it came and read the whole of it. */
async function take(blob, name, sample = null) {
  for (const button of document.querySelectorAll(".sample")) {
    button.setAttribute("aria-pressed", String(button === sample));
  }
  forgetUrls();
  const url = urlOf(blob);
  source = { blob, name, url, size: await sizeOf(url) };
  lastBox = null;
  document.body.classList.add("at-work");
  byId("answer").hidden = false;
  byId("select").hidden = !source.size;
  if (source.size) byId("photo-image").src = url;
  await readWhole();
  byId("answer").scrollIntoView({ block: "start", behavior: "smooth" });
}

function readWhole() {
  byId("whole").hidden = true;
  return read({ blob: source.blob, name: source.name, url: source.url, size: source.size });
}

async function readRegion() {
  let blob;
  try {
    blob = await region.cut();
  } catch (error) {
    showVerdict("error", "That region could not be cut out.", error.message);
    return;
  }
  lastBox = region.box;
  byId("whole").hidden = false;
  forgetUrls(source.url);
  await read({ blob, name: "region.png", url: urlOf(blob), size: { width: lastBox.w, height: lastBox.h } });
  byId("status").focus({ preventScroll: true });
  byId("answer").scrollIntoView({ block: "start", behavior: "smooth" });
}

async function read(job) {
  last = job;
  running?.abort();
  const control = (running = new AbortController());
  showSelector(false);
  clearAnswer();
  byId("retry").hidden = true;
  byId("download").hidden = true;
  byId("viewer").hidden = !job.size;
  document.querySelector(".picture").hidden = !job.size;
  if (job.size) viewer.show(job.url, job.size);
  showVerdict("busy", "Reading …");
  try {
    await answered(job, control.signal);
  } catch (error) {
    if (error.name === "AbortError") return;
    if (!(error instanceof Refusal)) throw error;
    refused(error);
  }
}

async function answered(job, signal) {
  // Both would be refused; a phone need not send ten megabytes to learn that.
  if (job.blob.size > limits.max_body_bytes) throw refusal("body_too_large");
  if (job.size && pixels(job.size) > limits.max_decode_pixels) throw refusal("image_too_large");
  const began = performance.now();
  const answer = await decode(job.blob, job.name, signal);
  const elapsed = performance.now() - began;
  // The service's word on the size holds: it is the frame of the corners.
  if (job.size) viewer.show(job.url, answer.image);
  viewer.showSymbols(answer.symbols);
  showAnswer(answer, elapsed);
  const enlargeable = pixels(answer.image) <= limits.max_upscale_pixels;
  verdict(answer, job, enlargeable);
  if (!enlargeable || !job.size) return;
  try {
    await enlarged(answer, job, signal);
  } catch (error) {
    // What was read stays read.
    if (!(error instanceof Refusal)) throw error;
    byId("legend").textContent = `The ×4 image did not come. ${error.title}`;
  }
}

async function enlarged(answer, job, signal) {
  const format = pixels(answer.image) <= LOSSLESS_PIXELS ? "png" : "webp";
  const image = await upscale(job.blob, job.name, format, signal);
  const url = urlOf(image);
  viewer.showResult(url);
  viewer.showSymbols(answer.symbols);
  const name = (job.name || "image").replace(/\.[^.]*$/, "");
  Object.assign(byId("download"), { href: url, download: `${name}-x4.${format}`, hidden: false });
}

const pixels = ({ width, height }) => width * height;

function verdict(answer, job, enlargeable) {
  const count = answer.symbols.length;
  if (count) {
    const helped = answer.symbols.every(({ attempt }) => /^(sr|soft)/.test(attempt));
    const where = helped ? "From what the network made of it." : "From the upload itself, without the network.";
    showVerdict("read", count === 1 ? "Read" : `Read ${count} symbols`, where);
  } else if (!enlargeable) {
    showVerdict("unread", "Nothing read in the whole picture", "It is too large to be enlarged. Select the code in it.");
    if (job.size && job.blob === source.blob) openSelector();
  } else if (!answer.complete) {
    showVerdict("unread", "Not read this time", "A reader took too long, so there may be a code after all.");
    byId("retry").hidden = false;
  } else {
    showVerdict("unread", "Not read", "Select just the code, with a margin of white round it. If it was, it is beyond this service.");
  }
}

function refused(error) {
  const detail = error.retryAfter ? ` Wait ${error.retryAfter} s.` : "";
  const region = error.code === "unsupported_image_format" && source.size;
  const advice = region ? "This browser can show it: select the code, and the region is sent as PNG." : error.advice;
  showVerdict("error", error.title, advice + detail);
  byId("retry").hidden = !error.again;
  if (error.code === "unauthorized") askForKey();
  if (["body_too_large", "image_too_large"].includes(error.code) && source.size) openSelector();
}

function showSelector(shown) {
  byId("selector").hidden = !shown;
  byId("viewer").hidden = shown;
  byId("select").setAttribute("aria-pressed", String(shown));
}

function openSelector() {
  document.querySelector(".picture").hidden = false;
  showSelector(true);
  region.open(source.size, lastBox);
}

function askForKey() {
  byId("key-form").hidden = false;
  byId("key").focus();
}

// Where images come from.

for (const id of ["file", "camera"]) {
  byId(id).addEventListener("change", ({ target }) => {
    const [file] = target.files;
    // The same file may be chosen again.
    if (file) take(file, file.name).finally(() => (target.value = ""));
  });
}

document.addEventListener("paste", (event) => {
  const file = [...event.clipboardData.files].find(({ type }) => type.startsWith("image/"));
  if (!file) return;
  event.preventDefault();
  take(file, "pasted.png");
});

byId("paste").addEventListener("click", async () => {
  try {
    for (const item of await navigator.clipboard.read()) {
      const type = item.types.find((name) => name.startsWith("image/"));
      if (type) return void take(await item.getType(type), "pasted.png");
    }
    noPicture("There is no picture on the clipboard.", "Copy an image or a screenshot first.");
  } catch {
    noPicture("This browser does not let the page look at the clipboard.", "Press Ctrl V, or choose a file.");
  }
});

function noPicture(title, hint) {
  byId("answer").hidden = false;
  document.querySelector(".picture").hidden = !source;
  byId("select").hidden = !source;
  clearAnswer();
  showVerdict("error", title, hint);
}

let depth = 0;
const carriesFiles = (event) => [...(event.dataTransfer?.types ?? [])].includes("Files");
for (const [name, change] of [["dragenter", 1], ["dragleave", -1]]) {
  document.addEventListener(name, (event) => {
    if (!carriesFiles(event)) return;
    depth += change;
    document.body.classList.toggle("dragging", depth > 0);
  });
}
document.addEventListener("dragover", (event) => event.preventDefault());
document.addEventListener("drop", (event) => {
  event.preventDefault();
  depth = 0;
  document.body.classList.remove("dragging");
  const [file] = event.dataTransfer.files;
  if (file) take(file, file.name);
});

// What can be done with them.

byId("select").addEventListener("click", () => {
  if (!byId("selector").hidden) return showSelector(false);
  openSelector();
  byId("box").focus();
});
byId("cancel-region").addEventListener("click", () => {
  showSelector(false);
  byId("select").focus();
});
byId("selector").addEventListener("keydown", ({ key }) => {
  if (key === "Escape") byId("cancel-region").click();
});
byId("whole").addEventListener("click", readWhole);
byId("retry").addEventListener("click", () => read(last));
byId("key-form").addEventListener("submit", (event) => {
  event.preventDefault();
  useKey(byId("key").value.trim());
  if (last) read(last);
});

async function showSamples() {
  const response = await fetch("static/samples/index.json");
  const samples = await response.json();
  byId("samples").replaceChildren(
    ...samples.map(({ file, title, note }) => {
      const url = `static/samples/${file}`;
      const button = document.createElement("button");
      Object.assign(button, { type: "button", className: "sample" });
      button.setAttribute("aria-pressed", "false");
      const image = Object.assign(new Image(), { src: url, alt: "", width: 120, height: 120 });
      const words = document.createElement("span");
      const name = Object.assign(document.createElement("b"), { textContent: title });
      words.append(name, Object.assign(document.createElement("span"), { textContent: note }));
      button.append(image, words);
      button.addEventListener("click", async () => {
        const sample = await fetch(url).catch(() => null);
        if (sample?.ok) await take(await sample.blob(), file, button);
        else noPicture("The service does not answer.", "It may have stopped, or you are offline.");
      });
      const item = document.createElement("li");
      item.append(button);
      return item;
    }),
  );
}

async function showSettings() {
  try {
    limits = await settings();
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return;
  }
  const { model } = limits;
  Object.assign(byId("model"), { textContent: `${model.name} v${model.version}`, title: "The model in use", hidden: false });
  const megabytes = (limits.max_body_bytes / 2 ** 20).toFixed(0);
  byId("limits").textContent = `PNG, JPEG, WebP, BMP or GIF up to ${megabytes} MB.`;
  byId("key-form").hidden = !limits.needs_key;
}

showSamples();
showSettings();
