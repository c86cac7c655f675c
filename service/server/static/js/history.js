// What was read since the page was opened: a list to go back to, to copy and to save. It is kept in this page only.

import { byId, element } from "./dom.js";
import { bytesOf, hexLines } from "./payload.js";

const MOST = 100;
const LEAST_FOR_EXPORT = 1;

const words = (symbol) => symbol.text ?? hexLines(bytesOf(symbol.payload_base64)).replaceAll(/\s+/g, "");

/** A cell of CSV (RFC 4180). What a spreadsheet would take for a formula begins with an apostrophe. */
function cell(value) {
  const text = String(value ?? "");
  return `"${(/^[=+\-@\t\r]/.test(text) ? `'${text}` : text).replaceAll('"', '""')}"`;
}

export class History {
  /** Latest first: name, blob and symbols. */
  #entries = [];

  /** @param again called with blob and name of an entry that shall be shown once more. */
  constructor(again) {
    this.again = again;
    byId("copy-all").addEventListener("click", () => this.#copy());
    byId("save-csv").addEventListener("click", () => save("qr-codes.csv", "text/csv", this.#csv()));
    byId("save-json").addEventListener("click", () => save("qr-codes.json", "application/json", this.#json()));
    byId("forget").addEventListener("click", () => {
      this.#entries = [];
      this.#show();
    });
  }

  /** Put an answer on top, in the place of an older one of the same picture. */
  add(name, blob, symbols) {
    const others = this.#entries.filter((entry) => entry.blob !== blob);
    this.#entries = [{ name, blob, symbols }, ...others].slice(0, MOST);
    this.#show();
  }

  #show() {
    const rows = this.#entries.map(({ name, blob, symbols }) => {
      const open = element("button", { type: "button", className: "linklike", textContent: name });
      open.addEventListener("click", () => this.again(blob, name));
      const read = symbols.length ? symbols.map(words).join(" · ") : "nothing read";
      const text = element("span", { className: symbols.length ? "read" : "unread", textContent: read });
      return element("li", {}, open, text);
    });
    byId("entries").replaceChildren(...rows);
    byId("history").hidden = rows.length < LEAST_FOR_EXPORT;
  }

  /** One row for each symbol, in the order of reading. */
  #rows() {
    return this.#entries.toReversed().flatMap(({ name, symbols }) =>
      symbols.map((symbol) => ({
        file: name,
        text: symbol.text,
        payload_base64: symbol.payload_base64,
        encoding: symbol.encoding,
        reader: symbol.reader,
        points: symbol.points,
      })),
    );
  }

  #csv() {
    const columns = ["file", "text", "payload_base64", "encoding", "reader"];
    const lines = this.#rows().map((row) => columns.map((name) => cell(row[name])).join(","));
    return [columns.map(cell).join(","), ...lines, ""].join("\r\n");
  }

  #json() {
    return `${JSON.stringify(this.#rows(), null, 1)}\n`;
  }

  async #copy() {
    const text = this.#entries.toReversed().flatMap(({ symbols }) => symbols.map(words)).join("\n");
    const button = byId("copy-all");
    try {
      await navigator.clipboard.writeText(text);
      button.textContent = "Copied";
    } catch {
      button.textContent = "This browser does not allow it";
    }
    byId("announce").textContent = button.textContent;
    setTimeout(() => (button.textContent = "Copy all"), 2500);
  }
}

function save(name, type, text) {
  const url = URL.createObjectURL(new Blob([text], { type }));
  element("a", { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 1000);
}
