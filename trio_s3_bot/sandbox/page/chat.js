// The messages: a bubble each, replaced as a whole when anything in it changes.

import { clock, day, el, extension, hue, icon, size } from "./dom.js";

const log = document.getElementById("log");
const scroll = document.getElementById("scroll");
const jump = document.getElementById("jump");
const WRAPS = { bold: "b", italic: "i", underline: "u", strikethrough: "s", code: "code", pre: "pre", blockquote: "blockquote", spoiler: "mark" };
const NEAR = 80; // pixels from the end within which the view follows new messages

export class Chat {
  /** `actions` say what a person can do in a bubble: press(bubble, button, node), reply(bubble), say(text). */
  constructor(actions) {
    this.actions = actions;
    this.person = "";
    this.bubbles = new Map();
    this.unseen = 0;
    this.follows = true;
    this.top = 0;
    jump.addEventListener("click", () => this.toEnd());
    scroll.addEventListener("scroll", () => this.scrolled());
    const resized = new ResizeObserver(() => this.follows && this.toEnd());
    resized.observe(scroll);
    resized.observe(log);
  }

  /** Only going up stops following: a picture that loads late moves the end away, too. */
  scrolled() {
    if (this.atEnd()) {
      this.follows = true;
      this.seen();
    } else if (scroll.scrollTop < this.top) {
      this.follows = false;
    }
    this.top = scroll.scrollTop;
  }

  apply({ reset, changed, removed }) {
    const follow = reset || this.follows;
    if (reset) this.clear();
    for (const id of removed) this.remove(id);
    let fresh = 0;
    for (const bubble of changed) fresh += this.show(bubble) && !bubble.mine ? 1 : 0;
    document.getElementById("empty").hidden = this.bubbles.size > 0;
    if (follow || changed.some((bubble) => bubble.mine && bubble.id === this.newest()?.id)) this.toEnd();
    else this.count(fresh);
  }

  newest() {
    return [...this.bubbles.values()].at(-1)?.bubble;
  }

  all() {
    return [...this.bubbles.values()].map((shown) => shown.bubble);
  }

  clear() {
    log.replaceChildren();
    this.bubbles.clear();
  }

  remove(id) {
    this.bubbles.get(id)?.node.remove();
    this.bubbles.delete(id);
  }

  /** Draw a bubble, new or changed; whether it is new. */
  show(bubble) {
    const old = this.bubbles.get(bubble.id);
    const previous = old ? null : this.newest();
    const node = this.draw(bubble);
    if (old) {
      const focused = old.node.contains(document.activeElement) ? document.activeElement.dataset.key : null;
      node.className = `${node.className} ${old.node.classList.contains("first") ? "first" : ""}`;
      old.node.replaceWith(node);
      if (focused) node.querySelector(`[data-key="${CSS.escape(focused)}"]`)?.focus();
    } else {
      this.append(bubble, node, previous);
    }
    this.bubbles.set(bubble.id, { bubble, node });
    return !old;
  }

  append(bubble, node, previous) {
    const newDay = !previous || day(previous.time) !== day(bubble.time);
    if (newDay) log.append(el("li", { className: "day" }, el("span", {}, day(bubble.time))));
    if (newDay || previous.mine !== bubble.mine) node.classList.add("first");
    node.classList.add("fresh");
    log.append(node);
  }

  draw(bubble) {
    const body = el("div", { className: "bubble", dir: "auto" });
    if (bubble.quote) body.append(this.quote(bubble.quote));
    for (const [index, file] of (bubble.files || []).entries()) body.append(this.file(bubble, file, index));
    if (bubble.text) body.append(el("div", { className: "text" }, ...this.text(bubble)));
    body.append(this.meta(bubble));
    const reply = el("button", { className: "icon reply", type: "button", "aria-label": "Reply", "data-key": "reply" }, icon("reply"));
    reply.addEventListener("click", () => this.actions.reply(bubble));
    const node = el("li", { className: bubble.mine ? "mine" : "theirs", id: `m${bubble.id}` });
    node.append(el("div", { className: "line" }, body, reply));
    if (bubble.buttons) node.append(this.buttons(bubble));
    return node;
  }

  quote({ id, author, text }) {
    const node = el("button", { className: "quote", type: "button", "data-key": "quote" }, el("strong", {}, author), el("span", {}, text));
    node.addEventListener("click", () => {
      const target = document.getElementById(`m${id}`);
      target?.scrollIntoView({ block: "center", behavior: "smooth" });
      target?.animate([{ opacity: 0.4 }, { opacity: 1 }], { duration: 900 });
    });
    return node;
  }

  file(bubble, { kind, name, size: bytes }, index) {
    const href = `attachment/${encodeURIComponent(this.person)}/${bubble.id}?index=${index}`;
    if (kind === "photo") {
      const image = el("img", { src: href, alt: "A photo", className: "photo" });
      image.addEventListener("error", () => image.replaceWith(el("span", { className: "photo broken" }, icon("picture"), "A photo")));
      return image;
    }
    const label = name || kind;
    const tile = el("span", { className: "tile", "data-hue": hue(extension(label)) }, extension(label) || icon("file"));
    const words = el("span", { className: "words" }, el("span", { className: "name", dir: "auto" }, label), el("span", { className: "dim" }, size(bytes)));
    return el("a", { className: "file", href, download: "", "data-key": `file ${index}` }, tile, words);
  }

  text({ text, entities = [] }) {
    const edges = new Set([0, text.length]);
    for (const { offset, length } of entities) edges.add(offset).add(offset + length);
    const sorted = [...edges].filter((edge) => edge <= text.length).sort((a, b) => a - b);
    return sorted.slice(0, -1).map((start, index) => {
      const piece = text.slice(start, sorted[index + 1]);
      const around = entities.filter((entity) => entity.offset <= start && start < entity.offset + entity.length);
      return around.reduceRight((inner, entity) => this.wrap(entity, inner, piece), document.createTextNode(piece));
    });
  }

  wrap(entity, inner, piece) {
    if (entity.type === "bot_command") {
      const node = el("button", { className: "link", type: "button" }, inner);
      node.addEventListener("click", () => this.actions.say(piece));
      return node;
    }
    const href = entity.type === "text_link" ? entity.url : entity.type === "url" ? piece : "";
    if (/^https?:\/\//i.test(href)) return el("a", { href, target: "_blank", rel: "noopener noreferrer" }, inner);
    return entity.type in WRAPS ? el(WRAPS[entity.type], {}, inner) : inner;
  }

  meta(bubble) {
    const words = `${bubble.edited ? "edited " : ""}${clock(bubble.time)}`;
    const node = el("span", { className: "meta" }, words);
    if (bubble.mine) {
      const title = bubble.taken ? "The bot has it" : "Waits for the bot";
      node.append(el("span", { className: bubble.taken ? "ticks taken" : "ticks", title, "aria-label": title }, bubble.taken ? "✓✓" : "✓"));
    }
    return node;
  }

  buttons(bubble) {
    const rows = bubble.buttons.map((row) => el("div", { className: "keys" }, ...row.map((button) => this.button(bubble, button))));
    return el("div", { className: "markup" }, ...rows);
  }

  button(bubble, button) {
    if (button.url) return el("a", { className: "key", href: safe(button.url), target: "_blank", rel: "noopener noreferrer" }, button.text);
    const node = el("button", { className: "key", type: "button", disabled: !button.data, "data-key": `press ${button.data}` }, button.text);
    node.addEventListener("click", () => this.actions.press(bubble, button, node));
    return node;
  }

  atEnd() {
    return scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight < NEAR;
  }

  toEnd() {
    scroll.scrollTop = scroll.scrollHeight;
    this.follows = true;
    this.seen();
  }

  seen() {
    this.unseen = 0;
    jump.hidden = true;
  }

  count(fresh) {
    this.unseen += fresh;
    jump.hidden = this.atEnd();
    jump.querySelector("span").textContent = this.unseen || "";
  }
}

function safe(url) {
  return /^(https?|tg):/i.test(url) ? url : "#";
}
