// The service's routes. Whatever fails on the way is a Refusal, or an AbortError where the page gave up itself.

import { WRONG_KEY } from "./messages.js";
import { Refusal, refusal, strange, unreachable } from "./refusal.js";

let key = "";
export function useKey(value) {
  key = value;
}

/** What `waiting` gives; what the network throws, as a Refusal. */
async function arrived(waiting) {
  try {
    return await waiting;
  } catch (error) {
    if (error instanceof Refusal || error.name === "AbortError") throw error;
    throw error instanceof SyntaxError ? strange() : unreachable();
  }
}

async function send(path, options = {}) {
  // What cannot be a key cannot be sent as one; the service then says what it says without.
  const headers = /^[\x21-\x7e]+$/.test(key) ? { "X-API-Key": key } : {};
  const response = await arrived(fetch(path, { ...options, headers, credentials: "omit" }));
  if (response.ok) return response;
  const problem = await response.json().catch(() => ({}));
  if (typeof problem.code !== "string") {
    // A proxy's own page, in place of a service that is not there.
    throw [502, 503, 504].includes(response.status) ? unreachable() : strange();
  }
  if (problem.code === "unauthorized" && key) throw new Refusal(problem.code, WRONG_KEY);
  const wait = Number.parseInt(response.headers.get("Retry-After") ?? "", 10);
  throw refusal(problem.code, Number.isFinite(wait) ? wait : 0);
}

function upload(blob, name, signal) {
  const body = new FormData();
  body.append("file", blob, name || "image");
  return { method: "POST", body, signal };
}

/** Limits and model of the service. */
export async function settings() {
  const response = await send("playground.json");
  return arrived(response.json());
}

/** The answer of `POST /v1/decode`. */
export async function decode(blob, name, signal) {
  const response = await send("v1/decode", upload(blob, name, signal));
  return arrived(response.json());
}

/** The ×4 image as a blob. */
export async function upscale(blob, name, format, signal) {
  const response = await send(`v1/upscale?format=${format}`, upload(blob, name, signal));
  return arrived(response.blob());
}
