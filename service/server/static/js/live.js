// The camera, looked at again and again until something is read.

import { decode } from "./api.js";
import { byId } from "./dom.js";
import { Refusal } from "./refusal.js";

const PAUSE_MS = 350;
/** Between an answer and the next picture. */
const MOST_SIDE = 720;
/** Pixels: the middle of the picture, where the code is held; more would take longer to send and to read. */

export class Live {
  #stream = null;
  #control = null;

  /** @param take called with the picture that was read. */
  constructor(take) {
    this.take = take;
    this.video = byId("video");
    // Browsers give the camera to secure pages only: https, or this very machine.
    byId("live-open").hidden = !navigator.mediaDevices?.getUserMedia;
    byId("live-open").addEventListener("click", () => this.#open());
    byId("live-close").addEventListener("click", () => this.close());
  }

  close() {
    this.#control?.abort();
    for (const track of this.#stream?.getTracks() ?? []) track.stop();
    this.#stream = null;
    this.video.srcObject = null;
    byId("live").hidden = true;
  }

  async #open() {
    this.close();
    byId("live").hidden = false;
    byId("live-state").textContent = "Waiting for the camera …";
    const control = (this.#control = new AbortController());
    try {
      const stream = await navigator.mediaDevices.getUserMedia({
        video: { facingMode: "environment", width: { ideal: 1920 } },
      });
      if (control.signal.aborted) {
        for (const track of stream.getTracks()) track.stop();
        return;
      }
      this.#stream = this.video.srcObject = stream;
      await this.video.play();
    } catch {
      byId("live-state").textContent = "There is no camera, or this page may not use it.";
      return;
    }
    byId("live-close").focus();
    await this.#look(control.signal);
  }

  async #look(signal) {
    for (let looks = 1; !signal.aborted; looks++) {
      byId("live-state").textContent = `Hold a code in the frame. ${looks === 1 ? "Looking …" : `Looked ${looks} times.`}`;
      const blob = await this.#picture();
      try {
        const answer = await decode(blob, "camera.jpg", signal);
        if (answer.symbols.length) {
          this.close();
          this.take(blob, "camera.jpg");
          return;
        }
      } catch (error) {
        if (error.name === "AbortError") return;
        if (!(error instanceof Refusal)) throw error;
        if (!error.again) {
          byId("live-state").textContent = `${error.title} ${error.advice}`;
          return;
        }
      }
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
  }

  /** The middle of what the camera sees now. */
  async #picture() {
    const { videoWidth, videoHeight } = this.video;
    const side = Math.min(videoWidth, videoHeight, MOST_SIDE);
    const canvas = Object.assign(document.createElement("canvas"), { width: side, height: side });
    canvas.getContext("2d").drawImage(
      this.video, (videoWidth - side) / 2, (videoHeight - side) / 2, side, side, 0, 0, side, side,
    );
    return new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", 0.92));
  }
}
