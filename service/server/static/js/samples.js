// Crops that come with the service, so that the first click already shows something.

import { byId, element } from "./dom.js";

/**
 * @param take called with a promise of the picture (of null where it does not come), its name and its button.
 * @param notice called with words where it does not come.
 */
export async function showSamples(take, notice) {
  const response = await fetch("static/samples/index.json");
  const samples = await response.json();
  byId("samples").replaceChildren(...samples.map((sample) => element("li", {}, button(sample, take, notice))));
}

function button({ file, title, note, others }, take, notice) {
  const url = `static/samples/${file}`;
  const image = Object.assign(new Image(), { src: url, alt: "", width: 120, height: 120, draggable: false });
  const words = element("span", {}, element("b", { textContent: title }), element("span", { textContent: note }));
  if (others) words.append(element("i", { textContent: `0 of ${others.readers.length} others read it` }));
  const made = element("button", { type: "button", className: "sample" }, image, words);
  made.setAttribute("aria-pressed", "false");
  made.addEventListener("click", () => take(picture(url, notice), file, made, others));
  return made;
}

async function picture(url, notice) {
  try {
    const response = await fetch(url);
    if (response.ok) return await response.blob();
  } catch {
    // As if it had been refused.
  }
  notice("The service does not answer. It may have stopped, or you are offline.");
  return null;
}
