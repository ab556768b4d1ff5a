// Takes an authorization response to the app at once. Without scripts the page has a button for it.
document.querySelector("form[data-elsewhere]")?.submit();
