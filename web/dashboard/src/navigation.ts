// Follows links and search forms within the dashboard without a blank page between: the old one stays until the new one is there.
const dimAfter = 200;
let running: { call: AbortController; quiet: boolean } | undefined;
let arrived: () => void;

export function startNavigation(after: () => void) {
  arrived = after;
  document.addEventListener('click', (e) => {
    if (e.defaultPrevented || e.button !== 0 || e.metaKey || e.ctrlKey || e.shiftKey || e.altKey) return;
    const link = (e.target as Element).closest('a');
    // A link in a drawing has an animated address.
    const href = link && (link.href as unknown as SVGAnimatedString).baseVal ? new URL((link.href as unknown as SVGAnimatedString).baseVal, location.href).href : link?.href;
    if (!link || !href || link.target || link.hasAttribute('download') || !isOurs(href)) return;
    e.preventDefault();
    goTo(href);
  });
  document.addEventListener('submit', (e) => {
    const form = e.target as HTMLFormElement;
    if (form.method !== 'get' || !isOurs(form.action)) return;
    e.preventDefault();
    const fields = [...new FormData(form)].map(([name, value]) => [name, String(value)]);
    const url = new URL(form.action);
    url.search = new URLSearchParams(fields).toString();
    goTo(url.href);
  });
  addEventListener('popstate', () => void show(location.href, false));
}

export function goTo(href: string) {
  void show(new URL(href, location.href).href, true);
}

/** Puts the page at the address in place of this one, and leaves this one's state alone: for pages that renew themselves. Who has asked for another page gets that one. */
export async function renew() {
  if (running && !running.quiet) return;
  await show(location.href, false, true);
}

const isOurs = (href: string) => {
  const url = new URL(href, location.href);
  return url.origin === location.origin && /^\/([ps]\/|welcome)/.test(url.pathname) && !/\.(csv|pdf|html|txt)$/.test(url.pathname) && !(url.hash && url.pathname === location.pathname && url.search === location.search);
};

async function show(href: string, push: boolean, quiet = false) {
  running?.call.abort();
  const mine = new AbortController();
  running = { call: mine, quiet };
  const dim = quiet ? 0 : setTimeout(() => document.documentElement.classList.add('busy'), dimAfter);
  try {
    const answer = await fetch(href, { headers: { accept: 'text/html' }, signal: mine.signal });
    if (!answer.headers.get('content-type')?.startsWith('text/html') || !isOurs(answer.url)) {
      location.assign(href);
      return;
    }
    const page = new DOMParser().parseFromString(await answer.text(), 'text/html');
    if (mine.signal.aborted) return;
    put(page, answer.url, push, quiet);
  } catch {
    if (!mine.signal.aborted && !quiet) location.assign(href);
  } finally {
    clearTimeout(dim);
    if (running?.call === mine) {
      running = undefined;
      document.documentElement.classList.remove('busy');
    }
  }
}

function put(page: Document, url: string, push: boolean, quiet: boolean) {
  const samePage = new URL(url).pathname === location.pathname;
  const focused = document.activeElement?.id;
  const open = [...document.querySelectorAll<HTMLDetailsElement>('details[open][id]:not(.menu)')].map((d) => d.id);
  if (push && url !== location.href) history.pushState(null, '', url);
  document.title = page.title;
  document.body.replaceChildren(...page.body.childNodes);
  for (const id of open) {
    const details = document.getElementById(id) as HTMLDetailsElement | null;
    if (details) details.open = true;
  }
  arrived();
  if (quiet) return;
  const main = document.querySelector('main');
  main?.classList.add('arrived');
  // Where one was, if that is still there; else at the top, said to screen readers.
  const again = focused ? document.getElementById(focused) : null;
  if (samePage && again) again.focus({ preventScroll: true });
  else main?.focus({ preventScroll: true });
  if (push && !samePage) scrollTo(0, 0);
}
