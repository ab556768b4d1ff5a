// Takes an authorization response to the app at once. Without scripts the page has a button for it. The
// prototype's method, because a parameter named “submit” would hide the form's own.
const form = document.querySelector("form[data-elsewhere]");
if (form) HTMLFormElement.prototype.submit.call(form);
