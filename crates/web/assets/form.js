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
