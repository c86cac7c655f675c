// What a payload says, in parts: Wi-Fi, contacts, payments, events, messages, one-time passwords.

const unescaped = (text) => text.replaceAll(/\\(.)/g, "$1");

/** `K:value;` pairs of WIFI: and MECARD:, a backslash before what would end them. */
function pairs(text) {
  const found = {};
  for (const [, name, value] of text.matchAll(/([A-Z]+):((?:\\.|[^\\;])*);/gi)) {
    (found[name.toUpperCase()] ??= []).push(unescaped(value));
  }
  return found;
}

/** Lines of vCard and iCalendar, those that were folded joined again; parameters are left out. */
function lines(text) {
  const found = {};
  for (const line of text.replaceAll(/\r?\n[ \t]/g, "").split(/\r?\n/)) {
    const at = line.indexOf(":");
    if (at < 0) continue;
    const name = line.slice(0, at).split(";")[0].split(".").at(-1).toUpperCase();
    const value = line.slice(at + 1).replaceAll(/\\n/gi, "\n");
    (found[name] ??= []).push(unescaped(value));
  }
  return found;
}

function chosen(found, names) {
  return Object.entries(names).flatMap(([name, [label, secret]]) =>
    (found[name] ?? []).filter(Boolean).map((value) => [label, value, Boolean(secret)]),
  );
}

function wifi(text) {
  const found = pairs(text.slice(5).replace(/;?$/, ";"));
  const rows = chosen(found, { S: ["Network"], T: ["Security"], P: ["Password", true], H: ["Hidden"] });
  return found.S ? rows : [];
}

const CONTACT = {
  FN: ["Name"], N: ["Name"], ORG: ["Organisation"], TITLE: ["Title"], TEL: ["Phone"], EMAIL: ["E-mail"], URL: ["Web"],
  ADR: ["Address"], BDAY: ["Birthday"], NOTE: ["Note"],
};

function contact(text) {
  const found = /^MECARD:/i.test(text) ? pairs(text.slice(7).replace(/;?$/, ";")) : lines(text);
  if (found.FN) delete found.N;
  for (const name of ["N", "ADR", "ORG"]) {
    if (found[name]) found[name] = found[name].map((value) => value.split(/[;,]/).filter(Boolean).join(", "));
  }
  return chosen(found, CONTACT);
}

const event = (text) =>
  chosen(lines(text), { SUMMARY: ["What"], DTSTART: ["From"], DTEND: ["To"], LOCATION: ["Where"], DESCRIPTION: ["Notes"] });

/** The European Payments Council's guideline EPC069-12: a field a line. */
function transfer(text) {
  const [, , , , bic, name, iban, amount, purpose, reference, remittance] = text.split(/\r?\n/);
  const rows = [["To", name], ["Account", iban], ["Bank", bic], ["Amount", amount], ["Purpose", purpose]];
  rows.push(["Reference", reference], ["Text", remittance]);
  return rows.filter(([, value]) => value).map(([label, value]) => [label, value, false]);
}

/** An address with a query: mailto, sms, geo, tel, otpauth. */
function address(text) {
  let url;
  try {
    url = new URL(text);
  } catch {
    return [];
  }
  const path = decode(url.pathname.replace(/^\/+/, ""));
  const query = [...url.searchParams].map(([name, value]) => [name, value, name.toLowerCase() === "secret"]);
  const label = { "mailto:": "To", "tel:": "Number", "sms:": "Number", "geo:": "Place", "otpauth:": "Account" }[url.protocol];
  return label && path ? [[label, path, false], ...query] : [];
}

function decode(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

const FORMS = [
  [/^WIFI:/i, wifi],
  [/^(BEGIN:VCARD|MECARD:)/i, contact],
  [/^BEGIN:(VEVENT|VCALENDAR)/i, event],
  [/^BCD\r?\n00[12]\r?\n/, transfer],
  [/^(mailto|tel|sms|geo|otpauth):/i, address],
];

/** `[label, value, secret]` for each part; none where the payload is of no such kind. */
export function fieldsOf(text) {
  return FORMS.find(([form]) => form.test(text))?.[1](text) ?? [];
}
