// Copy an id; without the clipboard (it needs HTTPS or this machine) the text is selected instead.
document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  const said = document.getElementById("said");
  try {
    await navigator.clipboard.writeText(button.dataset.copy);
    said.textContent = "Copied " + button.dataset.copy;
    button.classList.add("copied");
    setTimeout(() => button.classList.remove("copied"), 1200);
  } catch {
    getSelection().selectAllChildren(button.previousElementSibling);
    said.textContent = "Selected " + button.dataset.copy;
  }
});
