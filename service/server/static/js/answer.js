// The answer in words: verdict, payloads, attempts, stages.

import { byId, element } from "./dom.js";
import { OUTCOMES, STAGES, attemptName } from "./messages.js";
import { fieldsOf } from "./fields.js";
import { bytesOf, hexLines, kindOf, showText, webLink } from "./payload.js";

/** Set the headline; `state` is idle, busy, read, unread or error. */
export function showVerdict(state, title, hint = "") {
  byId("verdict").dataset.state = state;
  byId("status").textContent = title;
  byId("hint").textContent = hint;
  byId("announce").textContent = [title, hint].filter(Boolean).join(" ");
}

export function clearAnswer() {
  for (const id of ["symbols", "attempts", "facts", "proof"]) byId(id).replaceChildren();
  byId("how").hidden = byId("request").hidden = true;
}

/** @param others what is known of other readers, where the picture is a sample: `readers` and `pictures`. */
export function showAnswer(answer, elapsed, others = null) {
  const several = answer.symbols.length > 1;
  const symbols = answer.symbols.map((symbol, index) => symbolView(symbol, several ? index + 1 : 0));
  if (others) showProof(answer, elapsed, others);
  byId("symbols").replaceChildren(...symbols);
  showAttempts(answer.attempts);
  showFacts(answer, elapsed);
  byId("how").hidden = false;
}

/** Who else was asked, from a run of each of them, and this service just now. */
function showProof(answer, elapsed, { readers, pictures }) {
  const line = (name, sign, words) =>
    element("li", { className: sign === "✓" ? "yes" : "no" }, element("b", { textContent: sign }), `${name}: ${words}`);
  const rows = readers.map((name) => line(name, "–", "not read"));
  const read = answer.symbols.length > 0;
  rows.push(line("This service, just now", read ? "✓" : "–", read ? `read, in ${milliseconds(elapsed)}` : "not read"));
  const note = `The others were given the crop as it is and ${pictures - 1} plain resizes of it, bicubic ×4 among them.`;
  byId("proof").replaceChildren(element("ul", {}, ...rows), element("p", { className: "fine", textContent: note }));
}

/** The parts of a payload, secrets hidden until they are asked for; null where it has none. */
function fieldsView(text) {
  const fields = fieldsOf(text);
  if (!fields.length) return null;
  const rows = fields.flatMap(([label, value, secret]) => {
    const shown = element("span", { textContent: secret ? "••••••••" : "" });
    if (!secret) showText(shown, value);
    const cell = element("dd", {}, shown);
    if (secret) {
      const button = element("button", { type: "button", className: "linklike", textContent: "Show" });
      button.setAttribute("aria-label", `Show ${label.toLowerCase()}`);
      button.addEventListener("click", () => {
        showText(shown, value);
        button.remove();
      });
      cell.append(" ", button);
    }
    return [element("dt", { textContent: label }), cell];
  });
  return element("dl", { className: "fields" }, ...rows);
}

function symbolView(symbol, number) {
  const bytes = bytesOf(symbol.payload_base64);
  const binary = symbol.text === null;
  const payload = element("pre", { className: "payload", tabIndex: 0 });
  payload.setAttribute("role", "region");
  payload.setAttribute("aria-label", binary ? "Payload in hexadecimal" : "Payload");
  if (binary) payload.textContent = hexLines(bytes);
  else showText(payload, symbol.text);
  const size = `${bytes.length} ${bytes.length === 1 ? "byte" : "bytes"}`;
  const kind = element(
    "p",
    { className: "kind" },
    element("b", { textContent: binary ? "Binary" : kindOf(symbol.text) }),
    `${size}${symbol.encoding ? `, ${symbol.encoding}` : ""} · read by ${attemptName(symbol.attempt)}`,
  );
  const copy = element("button", { type: "button", className: "button", textContent: binary ? "Copy as hex" : "Copy" });
  const copied = binary ? hexLines(bytes).replaceAll(/\s/g, "") : symbol.text;
  copy.addEventListener("click", () => copyText(copied, copy, payload));
  const row = element("div", { className: "row" }, copy);
  const fields = binary ? null : fieldsView(symbol.text);
  const hidden = Boolean(fields) && fieldsOf(symbol.text).some(([, , secret]) => secret);
  let shown = payload;
  if (hidden) {
    // The payload as it stands has the secret, too.
    shown = element("details", {}, element("summary", { textContent: "The payload as it stands, with its secret" }), payload);
  }
  const link = binary ? null : webLink(symbol.text);
  if (link) {
    const open = element("a", { className: "button", href: link.href, textContent: `Open ${link.host}` });
    Object.assign(open, { target: "_blank", rel: "noopener noreferrer" });
    row.append(open, element("span", { className: "fine", textContent: "Nothing opens by itself." }));
  }
  if (number) kind.prepend(element("span", { className: "number", textContent: String(number) }));
  const view = element("div", { className: "symbol" }, kind, ...(fields ? [fields] : []), shown, row);
  if (number) {
    // Its outline in the picture stands out while it is looked at here.
    const point = (on) => () => view.dispatchEvent(new CustomEvent("look", { bubbles: true, detail: { number, on } }));
    for (const [kind_, on] of [["pointerenter", true], ["pointerleave", false], ["focusin", true], ["focusout", false]]) {
      view.addEventListener(kind_, point(on));
    }
  }
  return view;
}

async function copyText(text, button, source) {
  const before = button.dataset.label ?? button.textContent;
  button.dataset.label = before;
  try {
    await navigator.clipboard.writeText(text);
    button.textContent = "Copied";
    byId("announce").textContent = "Copied.";
  } catch {
    // Without a secure origin or permission there is no clipboard: select it, so that Ctrl C does it.
    const selection = getSelection();
    selection.selectAllChildren(source);
    button.textContent = "Selected: press Ctrl C";
    byId("announce").textContent = "The payload is selected; press Control C.";
  }
  setTimeout(() => (button.textContent = before), 2500);
}

function showAttempts(attempts) {
  const total = Math.max(attempts.reduce((sum, attempt) => sum + attempt.ms, 0), 1);
  let before = 0;
  const lines = attempts.map(({ attempt, outcome, ms }) => {
    const [sign, words] = OUTCOMES[outcome] ?? ["", outcome];
    const bar = element("i");
    bar.style.setProperty("--from", `${(100 * before) / total}%`);
    bar.style.setProperty("--share", `${(100 * ms) / total}%`);
    before += ms;
    const name = element("span", { textContent: attemptName(attempt) });
    // Signs say what is usual; what went wrong is said in words.
    const usual = !["timeout", "failed"].includes(outcome);
    name.append(element("span", { className: usual ? "visually-hidden" : "wrong", textContent: `: ${words}` }));
    const mark = element("span", { className: "sign", textContent: sign });
    mark.setAttribute("aria-hidden", "true");
    const track = element("span", { className: "track" }, bar);
    track.setAttribute("aria-hidden", "true");
    return element("li", { className: outcome }, mark, name, element("span", { className: "ms", textContent: milliseconds(ms) }), track);
  });
  byId("attempts").replaceChildren(...lines);
}

function showFacts(answer, elapsed) {
  const facts = Object.entries(answer.timings_ms).map(([stage, ms]) => [STAGES[stage] ?? stage, milliseconds(ms)]);
  facts.push(["Round trip from here", milliseconds(elapsed)]);
  if (answer.model) facts.push(["Model", `${answer.model.name} version ${answer.model.version}`]);
  facts.push(["Image read", `${answer.image.width} × ${answer.image.height} pixels`]);
  byId("facts").replaceChildren(
    ...facts.flatMap(([name, value]) => [element("dt", { textContent: name }), element("dd", { textContent: value })]),
  );
}

const milliseconds = (value) => `${value < 10 ? value.toFixed(1) : Math.round(value)} ms`;
