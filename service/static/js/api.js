// The service's routes, and one kind of error for everything that can go wrong on the way.

import { STRANGE, UNREACHABLE, message } from "./messages.js";

export class Refusal extends Error {
  constructor(code, { title, advice, again }, retryAfter = 0) {
    super(title);
    Object.assign(this, { code, title, advice, again, retryAfter });
  }
}

/** The refusal that the service would answer with, without asking it. */
export const refusal = (code) => new Refusal(code, message(code));

const own = (code, [title, advice, again]) => new Refusal(code, { title, advice, again: Boolean(again) });

let key = "";
export function useKey(value) {
  key = value;
}

async function send(path, options = {}) {
  try {
    return await fetch(path, { ...options, headers: key ? { "X-API-Key": key } : {}, credentials: "omit" });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw own("unreachable", UNREACHABLE);
  }
}

async function checked(response) {
  if (response.ok) return response;
  const problem = await response.json().catch(() => ({}));
  if (typeof problem.code !== "string") {
    throw response.status === 502 || response.status === 504 ? own("unreachable", UNREACHABLE) : own("strange", STRANGE);
  }
  const wait = Number.parseInt(response.headers.get("Retry-After") ?? "", 10);
  throw new Refusal(problem.code, message(problem.code), Number.isFinite(wait) ? wait : 0);
}

async function body(reading) {
  try {
    return await reading;
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw own("unreachable", UNREACHABLE);
  }
}

const form = (blob, name) => {
  const data = new FormData();
  data.append("file", blob, name || "image");
  return data;
};

/** Limits and model of the service. */
export async function settings() {
  const response = await checked(await send("playground.json"));
  return body(response.json());
}

/** The answer of `POST /v1/decode`. */
export async function decode(blob, name, signal) {
  const response = await checked(await send("v1/decode", { method: "POST", body: form(blob, name), signal }));
  return body(response.json());
}

/** The ×4 image as a blob. */
export async function upscale(blob, name, format, signal) {
  const options = { method: "POST", body: form(blob, name), signal };
  const response = await checked(await send(`v1/upscale?format=${format}`, options));
  return body(response.blob());
}
