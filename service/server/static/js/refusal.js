// One kind of error for everything that can go wrong between a picture and its answer.

import { SILENT, STRANGE, UNREACHABLE, message } from "./messages.js";

export class Refusal extends Error {
  /** @param again whether another try may help. @param wait seconds that the service asks to wait before it. */
  constructor(code, [title, advice, again], wait = 0) {
    super(title);
    Object.assign(this, { code, title, advice, again: Boolean(again), wait });
  }
}

/** The refusal that belongs to a problem code of the service. */
export const refusal = (code, wait = 0) => new Refusal(code, message(code), wait);

/** No answer came, an answer of something else came, or none came for too long. */
export const unreachable = () => new Refusal("unreachable", UNREACHABLE);
export const strange = () => new Refusal("strange", STRANGE);
export const silent = () => new Refusal("silent", SILENT);
