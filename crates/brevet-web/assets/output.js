// What a run writes: followed as it comes, searched, and replayed at the speed at which it came. Whatever a program
// writes becomes text and nothing else.

// What is kept to search and replay, and what is shown of it.
const KEPT_BYTES_MAX = 4 * 1024 * 1024;
const SHOWN_LINES_MAX = 5000;
const LINE_CHARS_MAX = 10_000;
const SHOWN_CHARS_MAX = 1024 * 1024;
// What an element weighs beside its text.
const ELEMENT_CHARS = 16;
// A page that reads more than this is left; the whole is downloaded.
const READ_BYTES_MAX = 32 * 1024 * 1024;
const MATCHES_MAX = 2000;
const SEARCH_PAUSE_MS = 200;
const END_PIXELS = 8;
// A stream that the browser gives up is asked for again so often, each time after a longer pause.
const TRIES_MAX = 5;
const RETRY_PAUSE_MS = 2000;

// Sequences for terminals, and characters that hide, reorder or repaint what stands beside them; as many as follow each other.
const MISLEADING = /(?:\u001b\[[0-?]*[ -/]*[@-~]|(?!\t)[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}])+/gu;
const MISLEADS = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu;

function element(name, properties = {}, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

function row(role, name, ...children) {
  return element("div", { className: "tools", role, ariaLabel: name }, ...children);
}

// Lines of text, the newest of them.
class Screen {
  constructor(pre) {
    this.pre = pre;
    this.follows = true;
    pre.addEventListener("scroll", () => {
      this.follows = pre.scrollTop + pre.clientHeight >= pre.scrollHeight - END_PIXELS;
    });
  }

  clear() {
    this.pre.replaceChildren();
    this.dropped = 0;
    // The lines that are shown, and what each of them weighs.
    this.weights = new Map();
    this.weight = 0;
    const stream = () => ({ line: null, chars: 0, kept: "", decoder: new TextDecoder("utf-8", { ignoreBOM: true }) });
    this.streams = { stdout: stream(), stderr: stream() };
  }

  write({ stream: name, bytes }) {
    const stream = this.streams[name];
    let text = stream.kept + stream.decoder.decode(bytes, { stream: true });
    stream.kept = "";
    if (text.endsWith("\r")) [text, stream.kept] = [text.slice(0, -1), "\r"];
    const parts = text.split(/\r?\n/);
    parts.forEach((part, place) => {
      for (let at = 0; at < part.length; at += LINE_CHARS_MAX) this.put(name, stream, part.slice(at, at + LINE_CHARS_MAX));
      if (place === parts.length - 1) return;
      if (!stream.line) this.put(name, stream, "");
      stream.line.append("\n");
      [stream.line, stream.chars] = [null, 0];
    });
    this.trim();
  }

  // Nothing more comes: what waited for what follows is shown as it is.
  end() {
    for (const [name, stream] of Object.entries(this.streams)) {
      const text = stream.kept + stream.decoder.decode();
      stream.kept = "";
      if (text !== "") this.put(name, stream, text);
    }
    this.trim();
  }

  trim() {
    for (const [line, weight] of this.weights) {
      if (this.weights.size <= SHOWN_LINES_MAX && this.weight <= SHOWN_CHARS_MAX) break;
      line.remove();
      this.weights.delete(line);
      this.weight -= weight;
      this.dropped += 1;
    }
    if (this.follows) this.pre.scrollTop = this.pre.scrollHeight;
  }

  // Each stream ends its own lines.
  put(name, stream, text) {
    if (!stream.line?.isConnected || stream.chars + text.length > LINE_CHARS_MAX) {
      stream.line = element("span", { className: name === "stderr" ? "line stderr" : "line" });
      stream.chars = 0;
      this.pre.append(stream.line);
    }
    stream.chars += text.length;
    const parts = [];
    let weight = this.weights.get(stream.line) ?? ELEMENT_CHARS;
    const plain = (from, to) => { if (to > from) parts.push(text.slice(from, to)); };
    let from = 0;
    for (const match of text.matchAll(MISLEADING)) {
      const told = match[0].replace(MISLEADS, (c) => `\\u{${c.codePointAt(0).toString(16)}}`);
      plain(from, match.index);
      parts.push(element("span", { className: "escape", textContent: told }));
      weight += told.length + ELEMENT_CHARS;
      from = match.index + match[0].length;
    }
    plain(from, text.length);
    stream.line.append(...parts);
    this.weight += weight + text.length - (this.weights.get(stream.line) ?? 0);
    this.weights.set(stream.line, weight + text.length);
  }
}

// What stands where in the lines.
class Search {
  constructor(screen, tools) {
    this.screen = screen;
    this.matches = [];
    this.current = -1;
    this.field = element("input", { type: "search", id: "search", autocomplete: "off", spellcheck: false });
    this.count = element("output", { htmlFor: "search" });
    const button = (name, step) => {
      const made = element("button", { type: "button", textContent: name });
      made.addEventListener("click", () => this.go(step));
      return made;
    };
    const label = element("label", { htmlFor: "search", textContent: "Search the output" });
    const field = element("div", { className: "field" }, label, this.field);
    tools.append(row("search", "Search", field, button("Previous", -1), button("Next", 1), this.count));
    this.field.addEventListener("input", () => this.look(true));
    this.field.addEventListener("keydown", (event) => {
      if (event.key === "Enter") this.go(event.shiftKey ? -1 : 1);
      else if (event.key === "Escape") { this.field.value = ""; this.look(true); }
      else return;
      event.preventDefault();
    });
  }

  // The output is another; not for every piece of it.
  changed() {
    if (this.field.value === "" || this.waits) return;
    this.waits = setTimeout(() => { this.waits = undefined; this.look(false); }, SEARCH_PAUSE_MS);
  }

  look(anew) {
    const wanted = this.field.value.toLowerCase();
    this.matches = [];
    if (wanted !== "") {
      for (const line of this.screen.pre.children) {
        const text = line.textContent.toLowerCase();
        for (let at = text.indexOf(wanted); at >= 0 && this.matches.length < MATCHES_MAX; at = text.indexOf(wanted, at + wanted.length)) {
          this.matches.push({ line, range: range(line, at, at + wanted.length) });
        }
      }
    }
    CSS.highlights?.set("found", new Highlight(...this.matches.map((match) => match.range)));
    if (anew) this.current = -1;
    this.current = Math.min(this.current, this.matches.length - 1);
    if (anew && this.matches.length > 0) this.go(1);
    else this.mark();
  }

  go(step) {
    const { length } = this.matches;
    if (length === 0) return this.mark();
    this.current = this.current < 0 ? (step > 0 ? 0 : length - 1) : (this.current + step + length) % length;
    this.mark();
    this.matches[this.current].line.scrollIntoView({ block: "nearest" });
  }

  mark() {
    for (const line of this.screen.pre.querySelectorAll(".current")) line.classList.remove("current");
    const match = this.matches[this.current];
    match?.line.classList.add("current");
    CSS.highlights?.set("found-current", new Highlight(...(match ? [match.range] : [])));
    const { length } = this.matches;
    if (this.field.value === "") this.count.value = "";
    else if (length === 0) this.count.value = "Not found";
    else this.count.value = `${this.current + 1} of ${length}${length === MATCHES_MAX ? "+" : ""}`;
  }
}

// The places of a line, over the nodes that it is made of.
function range(line, from, to) {
  const found = document.createRange();
  const walker = document.createTreeWalker(line, NodeFilter.SHOW_TEXT);
  let at = 0;
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const end = at + node.length;
    if (from >= at && from < end) found.setStart(node, from - at);
    if (to > at && to <= end) found.setEnd(node, to - at);
    at = end;
  }
  return found;
}

// A run that is over, at the speed at which it came.
class Replay {
  constructor(screen, record, tools, changed) {
    Object.assign(this, { screen, record, changed, end: record.at(-1).after, shown: record.length, playing: false });
    this.position = this.end;
    this.button = element("button", { type: "button", textContent: "Replay" });
    this.speed = element("select", { id: "speed" }, ...[1, 4, 16].map((n) => element("option", { value: n, textContent: `${n}×` })));
    this.slider = element("input", { type: "range", id: "position", min: 0, max: Math.max(1, Math.ceil(this.end / 1000)), step: 1 });
    this.told = element("output", { htmlFor: "position" });
    const field = (id, name, input) => element("div", { className: `field ${id}` }, element("label", { htmlFor: id, textContent: name }), input);
    tools.append(row("group", "Replay", this.button, field("speed", "Speed", this.speed), field("position", "Position", this.slider), this.told));
    this.button.addEventListener("click", () => this.toggle());
    this.slider.addEventListener("input", () => this.show(Number(this.slider.value) >= Number(this.slider.max) ? this.end : this.slider.value * 1000));
    this.tell();
  }

  toggle() {
    this.playing = !this.playing;
    if (this.playing) {
      if (this.position >= this.end) this.show(0);
      this.screen.follows = true;
      this.last = performance.now();
      requestAnimationFrame(() => this.tick());
    }
    this.tell();
  }

  tick() {
    if (!this.playing) return;
    const now = performance.now();
    const next = this.position + (now - this.last) * 1000 * Number(this.speed.value);
    this.last = now;
    if (next >= this.end) this.playing = false;
    this.show(Math.min(next, this.end));
    if (this.playing) requestAnimationFrame(() => this.tick());
  }

  show(position) {
    if (position < this.position) {
      this.screen.clear();
      this.shown = 0;
    }
    const { shown } = this;
    while (this.shown < this.record.length && this.record[this.shown].after <= position) {
      this.screen.write(this.record[this.shown]);
      this.shown += 1;
    }
    if (this.shown === this.record.length) this.screen.end();
    if (position < this.position || this.shown > shown) this.changed();
    this.position = position;
    this.tell();
  }

  tell() {
    this.button.textContent = this.playing ? "Pause" : this.position >= this.end ? "Replay" : "Play";
    this.slider.value = Math.ceil(this.position / 1000);
    const seconds = (micros) => (micros / 1e6).toFixed(1);
    this.told.value = `${seconds(this.position)} of ${seconds(this.end)} s`;
    this.slider.setAttribute("aria-valuetext", this.told.value);
  }
}

// What the server says of a run, until it is over.
class Follower {
  constructor(card) {
    this.card = card;
    this.screen = new Screen(card.querySelector(".output"));
    this.tools = card.querySelector("[data-tools]");
    this.tools.hidden = false;
    this.search = new Search(this.screen, this.tools);
    this.over = false;
    this.tries = 0;
    // A browser has few connections to a server: a page that nobody sees keeps none.
    document.addEventListener("visibilitychange", () => {
      if (this.over) return;
      if (document.hidden) this.source.close();
      else this.open();
    });
    if (!document.hidden) this.open();
  }

  open() {
    this.source?.close();
    this.source = new EventSource(this.card.dataset.output);
    const on = (name, act) => this.source.addEventListener(name, (event) => act(JSON.parse(event.data)));
    on("started", () => this.begin());
    on("output", (chunk) => this.take(chunk));
    on("finished", () => this.finish());
    on("problem", (problem) => this.leave(problem.detail));
    this.source.addEventListener("error", () => {
      if (this.over) return;
      this.tell("The connection is lost; it is taken up again.");
      if (this.source.readyState === EventSource.CLOSED) this.again();
    });
  }

  // The browser asks again where a connection breaks off, but not where it gets another answer.
  again() {
    this.tries += 1;
    if (this.tries > TRIES_MAX) return this.leave("The output cannot be followed. Reload the page.");
    const lost = this.source;
    setTimeout(() => {
      if (!this.over && !document.hidden && this.source === lost) this.open();
    }, RETRY_PAUSE_MS * this.tries);
  }

  // After the connection was lost the stream begins anew: what was had of it stays as it is, and is passed over.
  begin() {
    this.tries = 0;
    this.passed = { stdout: 0, stderr: 0 };
    if (!this.record) {
      Object.assign(this, { record: [], first: 0, kept: 0, read: 0, had: { stdout: 0, stderr: 0 } });
      this.screen.clear();
    }
    for (const one of this.card.querySelectorAll("[data-unscripted]")) one.hidden = true;
    if (!this.tellPart()) this.tell("running" in this.card.dataset ? "Following what it writes." : "");
  }

  tellPart() {
    const isPart = this.kept < this.read || this.screen.dropped > 0;
    if (isPart) this.tell("Only the newest is shown. Download the whole to see what came before.");
    return isPart;
  }

  take({ stream, after_micros: after, data }) {
    const all = Uint8Array.from(atob(data), (c) => c.charCodeAt(0));
    const bytes = all.subarray(Math.min(this.had[stream] - this.passed[stream], all.length));
    this.passed[stream] += all.length;
    if (bytes.length === 0) return;
    this.had[stream] = this.passed[stream];
    const chunk = { stream, after, bytes };
    this.record.push(chunk);
    this.kept += bytes.length;
    this.read += bytes.length;
    while (this.kept > KEPT_BYTES_MAX && this.first < this.record.length - 1) {
      this.kept -= this.record[this.first].bytes.length;
      this.first += 1;
    }
    if (this.first > this.record.length / 2) {
      this.record.splice(0, this.first);
      this.first = 0;
    }
    this.screen.write(chunk);
    this.search.changed();
    if (this.read > READ_BYTES_MAX) this.leave("It writes more than a page can show. Download the whole once it is over.");
    else this.tellPart();
  }

  finish() {
    this.over = true;
    this.source.close();
    this.card.querySelector("[data-download]").hidden = false;
    this.screen.end();
    this.search.changed();
    this.record.splice(0, this.first);
    if (this.record.length === 0) return this.tell("It wrote nothing.");
    if ("running" in this.card.dataset) this.tell("It is over.");
    new Replay(this.screen, this.record, this.tools, () => this.search.changed());
  }

  leave(why) {
    this.over = true;
    this.source.close();
    this.tell(why);
  }

  tell(text) {
    const told = this.card.querySelector("[data-told]");
    if (told.textContent !== text) told.textContent = text;
  }
}

const card = document.querySelector("[data-output]");
if (card) new Follower(card);
