// Asks until the first event of the property has come, and says so.
const status = document.querySelector("[data-arrival]");
const { property, since } = status.dataset;
const pause = 2000;

async function ask() {
  try {
    const answer = await fetch(`/v1/install/arrived?property=${encodeURIComponent(property)}&since=${encodeURIComponent(since)}`);
    const said = await answer.json();
    if (said.arrived) {
      status.classList.add("good");
      status.textContent = `It works: an event of ${property} has arrived.`;
      document.querySelector("[data-next]").hidden = false;
      return;
    }
  } catch {
    // The server is away for a moment; it is asked again.
  }
  setTimeout(ask, pause);
}

ask();
