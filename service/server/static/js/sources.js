// Where images come from: files, the camera, the clipboard, whatever is dropped on the page.

import { byId } from "./dom.js";

const NO_PICTURE = "There is no picture on the clipboard. Copy an image or a screenshot first.";

/** One file after the other, until another picture is given in between. */
async function takeAll(take, files) {
  for (const file of files) {
    if (!(await take(file, file.name))) return;
  }
}

const isPicture = (type) => type.startsWith("image/");

/** The file chooser, and the camera of a phone. */
export function watchFiles(take) {
  for (const id of ["file", "camera"]) {
    // The same file may be chosen again.
    byId(id).addEventListener("click", ({ target }) => (target.value = ""));
    byId(id).addEventListener("change", ({ target }) => {
      takeAll(take, [...target.files]);
    });
  }
}

/** Ctrl V anywhere, and the button for those without such keys. */
export function watchClipboard(take, notice) {
  document.addEventListener("paste", (event) => {
    if (event.target.closest?.("input")) return;
    const file = [...event.clipboardData.files].find(({ type }) => isPicture(type));
    if (!file) return notice(NO_PICTURE);
    event.preventDefault();
    take(file, "pasted.png");
  });
  byId("paste").addEventListener("click", async () => {
    try {
      for (const item of await navigator.clipboard.read()) {
        const type = item.types.find(isPicture);
        if (type) return void take(await item.getType(type), "pasted.png");
      }
      notice(NO_PICTURE);
    } catch {
      notice("This browser does not let the page look at the clipboard. Press Ctrl V, or choose a file.");
    }
  });
}

/** A file dropped anywhere on the page. */
export function watchDrop(take, notice) {
  let depth = 0;
  const entered = (change) => {
    depth = change && Math.max(depth + change, 0);
    document.body.classList.toggle("dragging", depth > 0);
  };
  const carriesFiles = ({ dataTransfer }) => [...(dataTransfer?.types ?? [])].includes("Files");
  document.addEventListener("dragenter", (event) => carriesFiles(event) && entered(1));
  document.addEventListener("dragleave", (event) => carriesFiles(event) && entered(-1));
  document.addEventListener("dragover", (event) => event.preventDefault());
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    entered(0);
    const { files } = event.dataTransfer;
    if (files.length) takeAll(take, [...files]);
    else notice("That was no file. Save the image first, and drop the file.");
  });
}
