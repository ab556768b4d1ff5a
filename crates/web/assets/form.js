// Makes forms more pleasant; each of them works without. Nothing here decides anything.

// One click, one request: a second click while the first is under way is swallowed. The button is not
// disabled, because a disabled button's value is not posted.
for (const form of document.querySelectorAll("form[data-once]")) {
  let sent = false;
  form.addEventListener("submit", (event) => {
    if (sent) {
      event.preventDefault();
      return;
    }
    sent = true;
    form.setAttribute("aria-busy", "true");
    event.submitter?.classList.add("busy");
  });
  // The back button may bring the page back as it was left.
  addEventListener("pageshow", () => {
    sent = false;
    form.removeAttribute("aria-busy");
    for (const button of form.querySelectorAll(".busy")) button.classList.remove("busy");
  });
}

// Show and hide a password. It is hidden again before it is sent, so that no browser keeps it as plain text.
for (const button of document.querySelectorAll(".reveal")) {
  const input = document.getElementById(button.getAttribute("aria-controls"));
  const set = (shown) => {
    input.type = shown ? "text" : "password";
    button.textContent = shown ? button.dataset.hide : button.dataset.show;
    button.setAttribute("aria-label", shown ? button.dataset.hideLabel : button.dataset.showLabel);
  };
  button.hidden = false;
  button.addEventListener("click", () => {
    set(input.type === "password");
    input.focus();
  });
  input.form.addEventListener("submit", () => set(false));
}

// Says how much of a new password is there.
for (const status of document.querySelectorAll(".strength")) {
  const input = document.getElementById(status.dataset.for);
  const least = Number(input.dataset.least);
  input.addEventListener("input", () => {
    const count = [...input.value].length;
    const good = count >= least;
    status.hidden = count === 0;
    status.classList.toggle("good", good);
    status.textContent = good ? status.dataset.good : status.dataset.count.replace("#", count);
  });
}

// A code is often copied with spaces, a dash or a whole line around it.
for (const input of document.querySelectorAll("[data-code]")) {
  input.addEventListener("paste", (event) => {
    const text = event.clipboardData?.getData("text") ?? "";
    const code = text.match(/\d(?:[\s-]?\d){7}(?!\d)/)?.[0].replace(/\D/g, "");
    if (!code) return;
    event.preventDefault();
    input.value = code;
    input.dispatchEvent(new Event("input", { bubbles: true }));
  });
}

// Counts down to when a new code can be asked for. The server decides: a click that comes too early is
// answered with the time to wait.
for (const button of document.querySelectorAll("[data-wait]")) {
  const label = button.textContent;
  const end = performance.now() + Number(button.dataset.wait) * 1000;
  const tick = () => {
    const left = Math.ceil((end - performance.now()) / 1000);
    button.classList.toggle("waiting", left > 0);
    if (left <= 0) {
      button.textContent = label;
      clearInterval(timer);
      return;
    }
    const time = `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}`;
    button.textContent = button.dataset.waiting.replace("#", time);
  };
  const timer = setInterval(tick, 1000);
  tick();
}

// Makes a long list searchable where there is a keyboard; on a phone the platform's own list is better. The
// select stays what is posted (WAI-ARIA combobox with a list).
const folded = (text) => text.normalize("NFD").replace(/\p{M}/gu, "").toLocaleLowerCase();
for (const select of matchMedia("(pointer: coarse)").matches ? [] : document.querySelectorAll("[data-search]")) {
  const entries = [...select.options].filter((o) => o.value).map((o) => ({ option: o, text: o.text, key: folded(o.text) }));
  const make = (name, attributes) => {
    const element = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    return element;
  };
  const { id } = select;
  const kept = ["aria-describedby", "aria-invalid", "required", "lang"].filter((name) => select.hasAttribute(name));
  const input = make("input", {
    type: "text", role: "combobox", "aria-autocomplete": "list", "aria-expanded": "false", "aria-controls": `${id}-list`,
    autocomplete: select.autocomplete === "country" ? "country-name" : "off",
    spellcheck: "false", autocapitalize: "words", enterkeyhint: "next",
    ...Object.fromEntries(kept.map((name) => [name, select.getAttribute(name)])),
  });
  const list = make("ul", { role: "listbox", id: `${id}-list`, hidden: "" });
  list.setAttribute("aria-label", select.labels[0]?.textContent ?? "");
  if (select.lang) list.lang = select.lang;
  const told = make("span", { class: "unseen", role: "status" });
  const box = make("div", { class: "combo" });
  let shown = [];
  let active = -1;

  const chosen = () => (select.value ? select.selectedOptions[0].text : "");
  const close = () => {
    list.hidden = true;
    active = -1;
    input.setAttribute("aria-expanded", "false");
    input.removeAttribute("aria-activedescendant");
  };
  const mark = (at) => {
    list.children[active]?.setAttribute("aria-selected", "false");
    active = at;
    const item = list.children[at];
    item?.setAttribute("aria-selected", "true");
    item?.scrollIntoView({ block: "nearest" });
    if (item) input.setAttribute("aria-activedescendant", item.id);
    else input.removeAttribute("aria-activedescendant");
  };
  const open = (query) => {
    const key = folded(query.trim());
    // What begins so comes before what has it inside.
    const rank = (entry) => (entry.key.startsWith(key) ? 0 : entry.key.split(/[^\p{L}\p{N}]+/u).some((w) => w.startsWith(key)) ? 1 : 2);
    shown = entries.filter((entry) => entry.key.includes(key)).sort((a, b) => rank(a) - rank(b));
    list.replaceChildren(...shown.map((entry, at) => {
      const item = make("li", { role: "option", id: `${id}-at-${at}`, "aria-selected": "false" });
      item.textContent = entry.text;
      return item;
    }));
    if (!shown.length) list.append(Object.assign(make("li", { role: "option", "aria-disabled": "true" }), { textContent: select.dataset.none }));
    list.hidden = false;
    input.setAttribute("aria-expanded", "true");
    mark(shown.length ? Math.max(0, key ? 0 : shown.findIndex((e) => e.option.selected)) : -1);
    told.textContent = shown.length ? select.dataset.found.replace("#", shown.length) : select.dataset.none;
  };
  const take = (entry) => {
    select.value = entry?.option.value ?? "";
    input.value = chosen();
    close();
  };

  input.addEventListener("input", () => {
    const exact = entries.find((entry) => entry.key === folded(input.value.trim()));
    select.value = exact?.option.value ?? "";
    // A browser that fills the form in has no list to choose from.
    if (document.activeElement === input) open(input.value);
  });
  input.addEventListener("click", () => (list.hidden ? open("") : close()));
  input.addEventListener("focus", () => input.select());
  input.addEventListener("blur", () => {
    // What was half typed is taken when only one entry fits; otherwise it is of no use.
    const typed = input.value.trim();
    if (!list.hidden && typed && !select.value && shown.length === 1) select.value = shown[0].option.value;
    input.value = chosen();
    close();
  });
  input.addEventListener("keydown", (event) => {
    const { key } = event;
    if (key === "ArrowDown" || key === "ArrowUp") {
      event.preventDefault();
      if (list.hidden) open("");
      else if (shown.length) mark((active + (key === "ArrowDown" ? 1 : -1) + shown.length) % shown.length);
    } else if (key === "Enter" && !list.hidden) {
      event.preventDefault();
      if (shown[active]) take(shown[active]);
    } else if (key === "Tab" && !list.hidden && input.value.trim() && shown[active]) {
      take(shown[active]);
    } else if (key === "Escape" && !list.hidden) {
      event.preventDefault();
      input.value = chosen();
      close();
    }
  });
  // Before the field loses the focus.
  list.addEventListener("mousedown", (event) => {
    event.preventDefault();
    const at = [...list.children].indexOf(event.target.closest("li"));
    if (shown[at]) take(shown[at]);
  });
  addEventListener("pageshow", () => (input.value = chosen()));

  select.before(box);
  box.append(input, list, told, select);
  select.hidden = true;
  select.removeAttribute("id");
  select.removeAttribute("autocomplete");
  input.id = id;
  input.value = chosen();
  if (select.autofocus) input.focus();
}
