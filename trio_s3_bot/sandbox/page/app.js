// The page: who one is, what one writes, and the stream of everything that happens.

import { Chat } from "./chat.js";
import { clock, day, el, extension, hue, icon, post, size, upload } from "./dom.js";

const $ = (id) => document.getElementById(id);
const ALBUM_MAX = 10; // files that a messenger groups into one album
const QUIET = 3000; // ms without a poll after which no bot is there
const ACTIVE = 5000; // ms that "typing" lasts (Bot API, sendChatAction)

const state = { people: [], person: sessionStorage.getItem("person") || "", replyTo: null, asked: 0, files: [], acts: null, named: null };
const chat = new Chat({ press, reply, say: (text) => attempt(() => post("say", { person: state.person, text })) });
let stream = null;

// The stream

function listen() {
  stream?.close();
  stream = new EventSource(`events?person=${encodeURIComponent(state.person)}`);
  const on = (name, handle) => stream.addEventListener(name, (event) => handle(JSON.parse(event.data)));
  on("people", showPeople);
  on("status", showStatus);
  on("bucket", showBucket);
  on("messages", showMessages);
  stream.addEventListener("open", () => document.body.classList.remove("lost"));
  stream.addEventListener("error", () => {
    document.body.classList.add("lost");
    $("status").textContent = "The sandbox is gone; trying again …";
    if (stream.readyState === EventSource.CLOSED) setTimeout(begin, 1000);
  });
}

function showMessages(news) {
  chat.person = state.person;
  if (news.reset) {
    reply(null);
    state.asked = 0;
  }
  chat.apply(news);
  if (active && news.changed.some((bubble) => !bubble.mine)) rest();
  const all = chat.all();
  const asking = all.at(-1);
  if (asking && !asking.mine && "ask" in asking && asking.id > state.asked) {
    state.asked = asking.id;
    reply(asking);
  }
  showKeyboard(all.findLast((bubble) => "keyboard" in bubble)?.keyboard || []);
}

function showKeyboard(rows) {
  $("keyboard").hidden = !rows.length;
  $("keyboard").replaceChildren(...rows.map((row) => el("div", { className: "keys" }, ...row.map((text) => {
    const key = el("button", { className: "key", type: "button" }, text);
    key.addEventListener("click", () => attempt(() => post("say", { person: state.person, text })));
    return key;
  }))));
}

let quiet = 0;
let active = 0;

/** The status when the bot says nothing of itself. */
function rest() {
  clearTimeout(active);
  active = 0;
  $("status").textContent = document.body.classList.contains("absent") ? "no bot is listening" : "online";
}

function showStatus({ listening, activity, acts }) {
  clearTimeout(quiet);
  if (listening) document.body.classList.remove("absent");
  else quiet = setTimeout(() => { document.body.classList.add("absent"); rest(); }, state.acts === null ? 0 : QUIET);
  if (state.acts !== null && acts > state.acts) {
    clearTimeout(active);
    active = setTimeout(rest, ACTIVE);
    $("status").textContent = activity === "typing" ? "typing …" : "sending a file …";
  } else if (!active) rest();
  state.acts = acts;
}

function showBucket({ bucket, count, size: bytes, objects }) {
  $("bucket-name").textContent = bucket;
  $("bucket-sum").textContent = count === 1 ? `1 object, ${size(bytes)}` : `${count} objects, ${size(bytes)}`;
  $("badge").textContent = count || "";
  $("bucket-empty").hidden = count > 0;
  const known = new Set([...$("objects").children].map((node) => node.dataset.version));
  $("objects").replaceChildren(...objects.map((object) => objectRow(object, known)));
}

function objectRow({ key, size: bytes, time }, known) {
  const cut = key.lastIndexOf("/") + 1;
  const name = el("span", { className: "name", dir: "auto", title: key }, el("span", { className: "dim" }, key.slice(0, cut)), key.slice(cut));
  const details = el("span", { className: "dim" }, `${size(bytes)} · ${day(time)}, ${clock(time)}`);
  const tile = el("span", { className: "tile", "data-hue": hue(extension(key)) }, extension(key) || icon("file"));
  const link = el("a", { className: "file", href: `bucket/${key.split("/").map(encodeURIComponent).join("/")}`, download: "" });
  link.append(tile, el("span", { className: "words" }, name, details), icon("down"));
  const row = el("li", { "data-version": `${key} ${time}` }, link);
  if (known.size && !known.has(row.dataset.version)) row.classList.add("fresh");
  return row;
}

// Who one is

function showPeople(people) {
  state.people = people;
  const me = people.find((person) => person.id === state.person);
  if (!me) return;
  showName(me);
  for (const radio of document.querySelectorAll("[name=language]")) radio.checked = radio.value === me.language;
  $("everybody").replaceChildren(...people.map(personRow));
  const titles = new Map(people.map((person) => [person.messenger, person.title]));
  $("adders").replaceChildren(...[...titles].map(([messenger, title]) => adder(messenger, title, titles.size > 1)));
}

// What is being typed stays, unless one has become somebody else meanwhile.
function showName(me) {
  const typing = document.activeElement === $("name");
  if (typing && state.named === me.id) return;
  $("name").value = me.name;
  if (typing) $("name").select();
  state.named = me.id;
}

function personRow(person) {
  const avatar = el("span", { className: "avatar", "data-hue": hue(person.id) }, [...person.name][0]?.toUpperCase() || "?");
  const words = el("span", { className: "words" }, el("span", { className: "name", dir: "auto" }, person.name));
  words.append(el("span", { className: "dim" }, `${person.title} · ${person.language === "ru" ? "Русский" : "English"}`));
  const button = el("button", { type: "button", className: "person", "aria-pressed": String(person.id === state.person) }, avatar, words);
  button.addEventListener("click", () => become(person.id));
  return el("li", {}, button);
}

function adder(messenger, title, several) {
  const button = el("button", { type: "button", className: "add" }, icon("plus"), several ? `New in ${title}` : "New person");
  button.addEventListener("click", () => attempt(async () => {
    const names = ["Alice", "Борис", "Chloé", "Дарья", "Emil", "Фёдор"];
    const name = names.find((one) => state.people.every((person) => person.name !== one)) || `Person ${state.people.length + 1}`;
    const { id } = await post("people", { messenger, name, language: /[а-я]/i.test(name) ? "ru" : "en" });
    become(id);
    $("name").select();
  }));
  return button;
}

function become(person) {
  state.person = person;
  state.acts = null;
  sessionStorage.setItem("person", person);
  closeDrawers();
  listen();
}

$("name").addEventListener("change", () => attempt(() => post("person", { person: state.person, name: $("name").value })));
for (const radio of document.querySelectorAll("[name=language]")) {
  radio.addEventListener("change", () => attempt(() => post("person", { person: state.person, language: radio.value })));
}

// What one does

async function attempt(deed) {
  try {
    await deed();
  } catch (error) {
    toast(error.message, true);
  }
}

async function press(bubble, button, node) {
  node.setAttribute("aria-busy", "true");
  await attempt(async () => {
    const answer = await post("press", { person: state.person, message_id: bubble.id, data: button.data });
    if (answer.text && answer.alert) {
      $("alert").querySelector("p").textContent = answer.text;
      $("alert").showModal();
    } else if (answer.text) toast(answer.text);
  });
  node.removeAttribute("aria-busy");
}

function reply(bubble) {
  state.replyTo = bubble;
  $("replying").hidden = !bubble;
  $("text").placeholder = bubble?.ask || "Message";
  if (!bubble) return;
  $("replying").querySelector("strong").textContent = bubble.author;
  $("replying").querySelector("span").textContent = bubble.text || bubble.files?.[0]?.name || "";
  if (matchMedia("(hover: hover)").matches || !("ask" in bubble)) $("text").focus();
}

async function send() {
  const text = $("text").value.trim();
  const replyTo = state.replyTo?.id ?? null;
  if (state.files.length) await sendFiles(text, replyTo);
  else if (text) await post("say", { person: state.person, text, reply_to: replyTo });
  else return;
  $("text").value = "";
  grow();
  reply(null);
}

/** Send what is in the tray, a request a file; several make albums, the caption goes with the first. */
async function sendFiles(caption, replyTo) {
  const photos = $("photos").checked;
  const batch = state.files.filter((entry) => !entry.busy);
  const album = batch.length > 1 ? crypto.randomUUID() : "";
  for (const [index, entry] of batch.entries()) {
    const part = album && `${album}-${Math.floor(index / ALBUM_MAX)}`;
    const size = Math.min(ALBUM_MAX, batch.length - index + (index % ALBUM_MAX));
    const words = index === 0 ? caption : "";
    await sendFile(entry, { caption: words, album: part, album_size: size, photo: photos && isPicture(entry.file) ? "1" : "", reply_to: replyTo ?? "" });
  }
}

async function sendFile(entry, details) {
  entry.busy = true;
  entry.node.classList.add("busy");
  const query = new URLSearchParams({ person: state.person, name: entry.file.name, ...details });
  try {
    await upload(`send?${query}`, entry.file, (part) => entry.node.style.setProperty("--done", part));
    forget(entry);
  } finally {
    entry.busy = false;
    entry.node.classList.remove("busy");
  }
}

$("composer").addEventListener("submit", (event) => {
  event.preventDefault();
  attempt(send);
});
$("text").addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  attempt(send);
});
$("text").addEventListener("input", grow);
$("unreply").addEventListener("click", () => reply(null));

function grow() {
  $("text").style.height = "auto";
  $("text").style.height = `${Math.min($("text").scrollHeight, 160)}px`;
}

// Files

const isPicture = (file) => /^image\/(jpeg|png|webp)$/.test(file.type);

function take(files, photo = false) {
  for (const file of files) {
    const picture = isPicture(file) ? el("img", { src: URL.createObjectURL(file), alt: "" }) : null;
    const tile = el("span", { className: "tile", "data-hue": hue(extension(file.name)) }, picture || extension(file.name) || icon("file"));
    picture?.addEventListener("error", () => picture.replaceWith(extension(file.name)));
    const words = el("span", { className: "words" }, el("span", { className: "name", dir: "auto" }, file.name), el("span", { className: "dim" }, size(file.size)));
    const drop = el("button", { type: "button", className: "icon", "aria-label": `Take ${file.name} away` }, icon("close"));
    const entry = { file, picture, node: el("li", {}, tile, words, drop) };
    drop.addEventListener("click", () => forget(entry));
    state.files.push(entry);
    $("files").append(entry.node);
  }
  if (photo) $("photos").checked = true;
  showTray();
  $("text").focus();
}

function forget(entry) {
  state.files = state.files.filter((other) => other !== entry);
  if (entry.picture) URL.revokeObjectURL(entry.picture.src);
  entry.node.remove();
  showTray();
}

function showTray() {
  $("tray").hidden = !state.files.length;
  $("as-photos").hidden = !state.files.some((entry) => isPicture(entry.file));
  if (!state.files.length) $("photos").checked = false;
}

$("attach").addEventListener("click", () => $("picker").click());
$("picker").addEventListener("change", () => {
  take($("picker").files);
  $("picker").value = "";
});
document.addEventListener("paste", (event) => {
  if (!event.clipboardData.files.length) return;
  event.preventDefault();
  take(event.clipboardData.files, true);
});

const dropping = $("drop");
document.addEventListener("dragenter", (event) => {
  const items = [...(event.dataTransfer?.items || [])].filter((item) => item.kind === "file");
  if (!items.length) return;
  dropping.hidden = false;
  dropping.querySelector("[data-photo='1']").hidden = !items.every((item) => item.type.startsWith("image/"));
});
document.addEventListener("dragover", (event) => {
  event.preventDefault();
  for (const zone of dropping.children) zone.classList.toggle("over", zone.contains(event.target));
});
document.addEventListener("dragleave", (event) => {
  if (!event.relatedTarget) dropping.hidden = true;
});
document.addEventListener("drop", (event) => {
  event.preventDefault();
  dropping.hidden = true;
  const zone = event.target.closest?.(".zone");
  take(event.dataTransfer.files, zone?.dataset.photo === "1");
});

// Drawers, toasts, keys

function toast(text, bad = false) {
  const node = el("div", { className: bad ? "toast bad" : "toast" }, text);
  $("toasts").append(node);
  setTimeout(() => node.remove(), bad ? 6000 : 3500);
}

function closeDrawers() {
  document.body.classList.remove("show-people", "show-bucket");
}

for (const node of document.querySelectorAll("[data-opens]")) {
  node.addEventListener("click", () => {
    const name = `show-${node.dataset.opens}`;
    const open = !document.body.classList.contains(name);
    closeDrawers();
    document.body.classList.toggle(name, open);
    if (open) $(node.dataset.opens).querySelector("button, input")?.focus();
  });
}
for (const node of document.querySelectorAll("[data-closes]")) node.addEventListener("click", closeDrawers);
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  if (document.body.matches(".show-people, .show-bucket")) closeDrawers();
  else if (state.replyTo) reply(null);
});

/** Take up the person of before, or the first there is, and listen. */
async function begin() {
  try {
    const response = await fetch("people");
    state.people = await response.json();
  } catch {
    setTimeout(begin, 1000);
    return;
  }
  if (state.people.every((person) => person.id !== state.person)) state.person = state.people[0]?.id || "";
  state.acts = null;
  listen();
}

begin();
