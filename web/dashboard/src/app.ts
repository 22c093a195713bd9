// What makes pages quicker under the hand. Every page works without it.
import { watchArrival } from './arrival';
import { goTo, startNavigation } from './navigation';
import { startLive, startRenewal } from './live';

declare const CHART: string;

document.addEventListener('click', (e) => {
  const target = e.target as Element;
  // A menu closes when something else is clicked.
  for (const menu of document.querySelectorAll<HTMLDetailsElement>('details.menu[open]')) if (!menu.contains(target)) menu.open = false;
  const copy = target.closest<HTMLButtonElement>('button[data-copy]');
  if (copy) void copyBeside(copy);
  const theme = target.closest<HTMLElement>('[data-theme-to]');
  if (theme) {
    e.preventDefault();
    setTheme(theme.dataset['themeTo'] ?? '');
  }
});

document.addEventListener('keydown', (e) => {
  if (e.key === 'Escape') {
    const menu = document.querySelector<HTMLDetailsElement>('details.menu[open]');
    if (menu) {
      menu.open = false;
      menu.querySelector('summary')?.focus();
    }
    return;
  }
  if (e.ctrlKey || e.metaKey || e.altKey || (e.target as Element).closest('input, select, textarea, dialog')) return;
  const wanted = e.key.toLowerCase();
  const target = [...document.querySelectorAll<HTMLElement>('[data-key]')].find((el) => el.dataset['key'] === wanted);
  if (!target) return;
  e.preventDefault();
  if (target instanceof HTMLDialogElement) target.showModal();
  else if (target instanceof HTMLInputElement) target.focus();
  else {
    target.click();
    const menu = target.closest('details');
    if (menu?.open) menu.querySelector<HTMLElement>('input:not([type=hidden]), select')?.focus();
  }
});

async function copyBeside(button: HTMLButtonElement) {
  const label = button.textContent;
  try {
    await navigator.clipboard.writeText(button.parentElement?.querySelector('code')?.textContent ?? '');
    button.textContent = 'Copied';
  } catch {
    button.textContent = 'Not allowed: select and copy';
  }
  setTimeout(() => (button.textContent = label), 2000);
}

function setTheme(theme: string) {
  if (theme) document.documentElement.dataset['theme'] = theme;
  else delete document.documentElement.dataset['theme'];
  document.cookie = `footfall_theme=${theme}; path=/; max-age=${theme ? 31536000 : 0}; samesite=lax`;
  for (const el of document.querySelectorAll<HTMLElement>('[data-theme-to]')) el.toggleAttribute('aria-current', el.dataset['themeTo'] === theme);
  document.dispatchEvent(new Event('footfall:theme'));
}

/** Once at first, and after each page that was brought in. */
function dress() {
  for (const button of document.querySelectorAll<HTMLButtonElement>('[data-copy][hidden]')) button.hidden = !navigator.clipboard;
  if (document.querySelector('ff-chart')) void import(CHART);
  // On a narrow screen the page's own name may lie beside it.
  document.querySelector('.top nav [aria-current]')?.scrollIntoView({ block: 'nearest', inline: 'nearest' });
  startLive();
  startRenewal();
  watchArrival();
}

startNavigation(dress);
dress();
document.addEventListener('footfall:go', (e) => goTo((e as CustomEvent<string>).detail));
