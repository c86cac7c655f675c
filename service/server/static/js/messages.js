// What people are told. Every problem code of the service has an entry; `again` says that trying again may help.

export const PROBLEMS = {
  bad_request: ["The request was not understood.", "Reload this page, it may be older than the service."],
  malformed_json: ["The request was not understood.", "Reload this page, it may be older than the service."],
  malformed_base64: ["The request was not understood.", "Reload this page, it may be older than the service."],
  malformed_multipart: ["The upload arrived in pieces.", "The network may have cut it short.", "again"],
  file_missing: ["No image arrived.", "Choose the file once more."],
  file_empty: ["That file is empty.", "It has no bytes at all; perhaps it has not finished downloading."],
  too_many_files: ["One image at a time, please.", "Choose a single file."],
  unexpected_field: ["The request was not understood.", "Reload this page, it may be older than the service."],
  unauthorized: ["This service wants an API key.", "Enter it above."],
  not_found: ["The service has moved.", "Reload this page."],
  method_not_allowed: ["The request was not understood.", "Reload this page, it may be older than the service."],
  upload_timeout: ["The upload took too long.", "Select just the code: a region is a small upload.", "again"],
  body_too_large: ["That file is too large.", "Crop it to the code, with a margin, and send that."],
  unsupported_content_type: ["The request was not understood.", "Reload this page, it may be older than the service."],
  invalid_query: ["The request was not understood.", "Reload this page, it may be older than the service."],
  unsupported_image_format: [
    "The service does not take this kind of file.",
    "It takes PNG, JPEG, WebP, BMP, GIF and TIFF, and mostly HEIC and AVIF. Save it as PNG or JPEG.",
  ],
  damaged_image: ["That image is damaged.", "It ends too early or contradicts itself; try the original file."],
  image_too_small: ["That image is too small.", "Both sides must be 8 pixels or more."],
  image_too_large: ["That image has too many pixels.", "Crop it to the code, with a margin, and send that."],
  overloaded: ["The service is busy.", "Too many requests came at the same time.", "again"],
  client_closed_request: ["The upload was broken off.", "The connection ended before all of it had arrived.", "again"],
  internal: ["Something went wrong in the service.", "It has been logged there. Another try may go well.", "again"],
  not_ready: ["The service is not ready.", "It is starting or stopping; give it a moment.", "again"],
  deadline_exceeded: ["That took too long.", "Select just the code: a smaller picture takes less time.", "again"],
};

export const WRONG_KEY = ["The service does not take that API key.", "Check it, and enter it once more above."];
export const UNREACHABLE = ["The service does not answer.", "It may have stopped, or you are offline.", "again"];
export const SILENT = ["The service has not answered for too long.", "It may be stuck, or the network may be.", "again"];
export const STRANGE = ["An answer came that was not understood.", "Something may stand between this page and the service.", "again"];

/** `[title, advice, again]` for a problem code. */
export const message = (code) => PROBLEMS[code] ?? STRANGE;

const READERS = { zxing: "zxing-cpp", wechat: "WeChat", soft: "soft-decision reader" };
const PICTURES = { sr: "on the ×4 image", draft: "on the draft" };
const VARIANTS = { plain: "without its nets", channels: "one colour at a time", inverted: "light for dark" };

/** "sr-inverted-zxing" as "zxing-cpp on the ×4 image, light for dark". */
export function attemptName(name) {
  if (name === "upscale") return "network enlarges it ×4";
  if (name === "draft") return "network drafts it ×4, in 8 bits";
  const parts = name.split("-");
  const reader = parts.find((part) => part in READERS);
  if (!reader) return name;
  const picture = parts.find((part) => part in PICTURES);
  const place = reader === "soft" ? "on the network’s confidences" : picture ? PICTURES[picture] : "on the upload";
  const extras = parts.filter((part) => part in VARIANTS).map((part) => VARIANTS[part]);
  return [`${READERS[reader]} ${place}`, ...extras].join(", ");
}

export const OUTCOMES = {
  read: ["✓", "read it"],
  nothing: ["–", "nothing"],
  done: ["↗", "done"],
  timeout: ["!", "took too long"],
  failed: ["!", "failed"],
};

export const STAGES = {
  upload: "Upload received",
  wait: "Waited for its turn",
  decode_image: "Image decoded",
  read_upload: "Readers on the upload",
  queue: "Waited for the network",
  inference: "Network",
  upscale: "Tiles cut and joined",
  read_upscaled: "Readers on the ×4 image",
  encode: "Answer encoded",
};
