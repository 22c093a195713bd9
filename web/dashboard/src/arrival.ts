// Asks until the first event of the property has come, and says so.
const pause = 2000;

export function watchArrival() {
  const status = document.querySelector<HTMLElement>('[data-arrival]');
  if (!status || status.dataset['watched']) return;
  status.dataset['watched'] = 'yes';
  const { property = '', since = '' } = status.dataset;
  const ask = async () => {
    if (!status.isConnected) return;
    try {
      const answer = await fetch(`/v1/install/arrived?property=${encodeURIComponent(property)}&since=${encodeURIComponent(since)}`);
      const said = (await answer.json()) as { arrived?: boolean };
      if (said.arrived) {
        status.className = 'notice good';
        status.textContent = `It works: an event of ${property} has arrived.`;
        for (const next of document.querySelectorAll<HTMLElement>('[data-after-arrival]')) next.hidden = false;
        return;
      }
    } catch {
      // The server is away for a moment; it is asked again.
    }
    setTimeout(() => void ask(), pause);
  };
  void ask();
}
