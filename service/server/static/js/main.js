// The page put together: images go from their sources to the session, which has them read.

import { settings, useKey } from "./api.js";
import { byId } from "./dom.js";
import { History } from "./history.js";
import { Live } from "./live.js";
import { Refusal } from "./refusal.js";
import { showSamples } from "./samples.js";
import { Session } from "./session.js";
import { watchClipboard, watchDrop, watchFiles } from "./sources.js";

const session = new Session();

/** What is wrong with an image before it is one, said where images come in; an answer that is shown stays. */
function notice(text) {
  const place = byId("notice");
  place.textContent = text;
  place.hidden = !text;
  if (text) place.scrollIntoView({ block: "nearest" });
}

/** Take an image, perhaps still on its way, from wherever it came. */
async function take(given, name, sample = null, others = null) {
  notice("");
  live.close();
  for (const button of document.querySelectorAll(".sample")) {
    button.setAttribute("aria-pressed", String(button === sample));
  }
  return session.take(given, name, others);
}

const history = new History((blob, name) => take(blob, name));
const live = new Live((blob, name) => take(blob, name));
session.onAnswer = (name, blob, symbols) => history.add(name, blob, symbols);

async function showSettings() {
  let found;
  try {
    found = await settings();
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return;
  }
  session.limits = found;
  const { model } = found;
  Object.assign(byId("model"), { textContent: `${model.name} v${model.version}`, title: "The model in use", hidden: false });
  const most = found.max_body_bytes;
  const size = most < 2 ** 20 ? `${Math.floor(most / 2 ** 10)} KB` : `${Math.floor(most / 2 ** 20)} MB`;
  byId("limits").textContent = `PNG, JPEG, WebP, HEIC and others up to ${size}.`;
  byId("key-form").hidden = !found.needs_key;
}

byId("key-form").addEventListener("submit", (event) => {
  event.preventDefault();
  useKey(byId("key").value.trim());
  byId("key-note").textContent = "It is sent with every image from now on, kept in this page only, and forgotten when you leave it.";
  session.again();
});

watchFiles(take);
watchClipboard(take, notice);
watchDrop(take, notice);
showSamples(take, notice);
showSettings();
