// Keeps a page fresh: fetches it again and replaces the marked parts that changed.
// Everything works without it; a part in which somebody is writing is left alone while it stays the same message.
"use strict";

const PERIOD_MS = 1000;
const known = new Map();
let asking = false;

function parts(root) {
  return [...root.querySelectorAll("[data-live]")].filter((part) => !part.parentElement.closest("[data-live]"));
}

function remember(root) {
  for (const part of parts(root)) known.set(part.dataset.live, part.outerHTML);
}

function written(part) {
  return [...part.querySelectorAll("textarea, input[type=text]")].map((field) => [field.id, field.value]);
}

function replace(old, fresh) {
  const texts = written(old);
  const focus = old.contains(document.activeElement) ? document.activeElement.id : "";
  old.replaceWith(fresh);
  for (const [id, value] of texts) {
    const field = id && document.getElementById(id);
    if (field && value) field.value = value;
  }
  if (focus) document.getElementById(focus)?.focus();
}

function merge(next) {
  const old = new Map(parts(document).map((part) => [part.dataset.live, part]));
  const fresh = parts(next);
  const kept = new Set(fresh.map((part) => part.dataset.live));
  for (const [name, part] of old) if (!kept.has(name)) part.remove();
  for (const part of fresh) {
    const name = part.dataset.live;
    const html = part.outerHTML;
    const list = part.closest("[data-live-list]")?.dataset.liveList;
    const adopted = document.importNode(part, true);
    if (old.has(name) && known.get(name) !== html) replace(old.get(name), adopted);
    else if (!old.has(name) && list) document.querySelector(`[data-live-list="${list}"]`)?.append(adopted);
    known.set(name, html);
  }
  document.title = next.title;
}

async function refresh() {
  if (asking || document.hidden) return;
  asking = true;
  try {
    const answer = await fetch(location.pathname + location.search, { headers: { accept: "text/html" } });
    if (answer.ok) merge(new DOMParser().parseFromString(await answer.text(), "text/html"));
  } catch {
    // The emulators are being restarted: ask again at the next beat.
  } finally {
    asking = false;
  }
}

if (document.querySelector("[data-live]")) {
  remember(document);
  document.querySelector(".refresh")?.setAttribute("hidden", "");
  setInterval(refresh, PERIOD_MS);
}
