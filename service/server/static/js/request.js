// The request that was just sent, for whoever wants to send it from elsewhere.

import { byId } from "./dom.js";

const quoted = (name) => `'${name.replaceAll("'", "'\\''")}'`;

function curl(name, origin, needsKey) {
  const key = needsKey ? " -H \"X-API-Key: $KEY\"" : "";
  return `curl -s${key} -F file=@${quoted(name)} ${origin}/v1/decode\n`
    + `curl -s${key} -F file=@${quoted(name)} -o x4.png ${origin}/v1/upscale`;
}

function python(name, origin, needsKey) {
  const key = needsKey ? ", api_key=KEY" : "";
  return `from qrsr import Client  # pip install qr-super-resolution\n\n`
    + `with Client(${JSON.stringify(origin)}${key}) as client:\n`
    + `    for symbol in client.decode(${JSON.stringify(name)}).symbols:\n`
    + `        print(symbol.text)`;
}

/** Show both for a file of that name. */
export function showRequest(name, needsKey) {
  const origin = location.href.replace(/[?#].*$/, "").replace(/\/$/, "");
  byId("curl").textContent = curl(name, origin, needsKey);
  byId("python").textContent = python(name, origin, needsKey);
  byId("request").hidden = false;
}
