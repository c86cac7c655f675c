// Payloads as people can read them: what kind they are, bytes as hex, and nothing invisible left invisible.

const KINDS = [
  [/^https?:\/\//i, "Link"],
  [/^WIFI:/i, "Wi-Fi"],
  [/^(BEGIN:VCARD|MECARD:)/i, "Contact"],
  [/^(mailto:|MATMSG:)/i, "E-mail"],
  [/^tel:/i, "Phone number"],
  [/^(sms|smsto):/i, "Text message"],
  [/^geo:/i, "Place"],
  [/^MEBKM:/i, "Bookmark"],
  [/^(BEGIN:VEVENT|BEGIN:VCALENDAR)/i, "Event"],
  [/^otpauth:/i, "One-time password secret"],
  [/^[a-z][a-z0-9+.-]*:\S/i, "Link of another kind"],
];

export function bytesOf(base64) {
  return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
}

/** `8f 3a c1 …`, sixteen bytes a line. */
export function hexLines(bytes) {
  const pairs = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0"));
  const lines = [];
  for (let at = 0; at < pairs.length; at += 16) lines.push(pairs.slice(at, at + 16).join(" "));
  return lines.join("\n");
}

export function kindOf(text) {
  return KINDS.find(([pattern]) => pattern.test(text))?.[1] ?? "Text";
}

/** The URL of a web link, or null. */
export function webLink(text) {
  if (!/^https?:\/\/\S+$/i.test(text)) return null;
  try {
    return new URL(text);
  } catch {
    return null;
  }
}

// Control characters, and those that turn or hide text: they make one link look like another.
const HIDDEN = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb]/u;

/** Put text into an element: hidden characters as marked code points, the host of a link emphasised. */
export function showText(element, text) {
  element.replaceChildren();
  const link = webLink(text);
  const authority = link && /^https?:\/\/([^/?#\\]*)/i.exec(text)?.[1];
  const start = authority ? text.indexOf(authority) : -1;
  const add = (part, parent) => {
    for (const piece of part.split(new RegExp(`(${HIDDEN.source})`, "u"))) {
      if (HIDDEN.test(piece)) {
        const mark = document.createElement("mark");
        mark.textContent = `U+${piece.codePointAt(0).toString(16).toUpperCase().padStart(4, "0")}`;
        parent.append(mark);
      } else if (piece) {
        parent.append(piece);
      }
    }
  };
  if (start < 0) {
    add(text, element);
    return;
  }
  const host = document.createElement("strong");
  add(text.slice(0, start), element);
  add(authority, host);
  element.append(host);
  add(text.slice(start + authority.length), element);
}
