// Small tools: elements without markup in strings, sizes and times in words, requests to the page's server.

const SVG = "http://www.w3.org/2000/svg";

/** An element; `props` are set as properties, or as attributes where their name has a dash. Text is never markup. */
export function el(tag, props = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (name.includes("-")) node.setAttribute(name, value);
    else node[name] = value;
  }
  node.append(...children.filter((child) => child !== null));
  return node;
}

export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  const use = document.createElementNS(SVG, "use");
  use.setAttribute("href", `#i-${name}`);
  svg.append(use);
  svg.setAttribute("aria-hidden", "true");
  return svg;
}

/** A size in bytes, as people read it, and as messengers write it. */
export function size(bytes) {
  const units = [bytes === 1 ? "byte" : "bytes", "KB", "MB", "GB", "TB"];
  let unit = 0;
  while (bytes >= 1023.95 && unit < units.length - 1) {
    bytes /= 1024;
    unit += 1;
  }
  return `${bytes < 100 ? Number(bytes.toFixed(1)) : Math.round(bytes)} ${units[unit]}`;
}

export function clock(seconds) {
  return new Date(seconds * 1000).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
}

export function day(seconds) {
  const date = new Date(seconds * 1000);
  if (date.toDateString() === new Date().toDateString()) return "Today";
  return date.toLocaleDateString([], { day: "numeric", month: "long" });
}

/** The letters of a file's type, for its icon. */
export function extension(name) {
  const found = /\.([\p{L}\p{N}]{1,5})$/u.exec(name);
  return found ? found[1].toUpperCase() : "";
}

/** One of eight hues, always the same for the same text. */
export function hue(text) {
  let sum = 0;
  for (const letter of text) sum = (sum * 31 + letter.codePointAt(0)) % 997;
  return String(sum % 8);
}

/** POST JSON; gives the decoded answer, or throws an Error in words. */
export async function post(path, body) {
  let response;
  try {
    response = await fetch(path, { method: "POST", body: JSON.stringify(body) });
  } catch {
    throw new Error("The sandbox does not answer.");
  }
  const text = await response.text();
  const answer = text && response.headers.get("content-type")?.includes("json") ? JSON.parse(text) : {};
  if (!response.ok) throw new Error(answer.error || `The sandbox refused that (${response.status}).`);
  return answer;
}

/** POST a file as it is, telling how far it has got (0 to 1). */
export function upload(path, file, progress) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", path);
    request.upload.addEventListener("progress", (event) => {
      if (event.lengthComputable) progress(event.loaded / event.total);
    });
    request.addEventListener("error", () => reject(new Error("The file could not be sent.")));
    request.addEventListener("load", () => {
      if (request.status < 300) resolve();
      else reject(new Error(`The file was refused (${request.status}).`));
    });
    request.send(file);
  });
}
