// Goes on when every app has answered in its frame, or has had time enough. Without scripts the page has a link.
const next = document.getElementById("next");
const frames = [...document.querySelectorAll("iframe")];
const loaded = frames.map((frame) => new Promise((done) => {
  frame.addEventListener("load", done);
  frame.addEventListener("error", done);
}));
const patience = new Promise((done) => setTimeout(done, 3000));
if (next) Promise.race([Promise.all(loaded), patience]).then(() => location.replace(next.href));
