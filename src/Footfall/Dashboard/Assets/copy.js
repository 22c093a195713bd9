// Shows a copy button beside each command, where the browser lets pages write to the clipboard.
if (navigator.clipboard) {
  for (const button of document.querySelectorAll("[data-copy]")) {
    const label = button.textContent;
    button.hidden = false;
    button.addEventListener("click", async () => {
      try {
        await navigator.clipboard.writeText(button.parentElement.querySelector("code").textContent);
        button.textContent = "Copied";
      } catch {
        button.textContent = "Not allowed: select and copy";
      }
      setTimeout(() => { button.textContent = label; }, 2000);
    });
  }
}
