// The lead form: with this script it is sent without leaving the page; without, the browser posts it and is sent on.
import type { FormNeeds } from './actions';
import { randomId } from './person';

let [anonId, host, property] = [] as unknown as FormNeeds;

const defaults = {
  sending: 'Sending…',
  success: 'Thank you. We have your address.',
  error: 'That did not work. Please check your entries, or try again later.',
};

type Words = keyof typeof defaults;

const words = (form: HTMLFormElement, which: Words): string => form.getAttribute('data-ff-' + which) || defaults[which];

/** Where the form tells how it went: its own element with data-ff-status, else one is added. */
function statusOf(form: HTMLFormElement): Element {
  let status = form.querySelector('[data-ff-status]');
  if (!status) {
    status = document.createElement('p');
    status.setAttribute('data-ff-status', '');
    form.appendChild(status);
  }
  status.setAttribute('role', 'status');
  status.setAttribute('aria-live', 'polite');
  return status;
}

function say(form: HTMLFormElement, state: Words, text?: string): void {
  const status = statusOf(form);
  form.setAttribute('data-ff-state', state);
  status.textContent = text || words(form, state);
}

/** The form's fields as the server's contract names them; what it does not know goes into `payload`. */
function read(form: HTMLFormElement, eventId: string): { [name: string]: unknown } {
  const lead: { [name: string]: any } = { anonId: anonId(), eventId, formName: form.getAttribute('name') || form.id || undefined, propertyId: property, path: location.pathname };
  const payload: { [name: string]: any } = {};
  new FormData(form).forEach((value, name) => {
    if (typeof value !== 'string' || !value) return;
    const parts = name.split('.');
    if (/^(email|formName|website|propertyId|formToken|captcha|(cf-turnstile|h-captcha|g-recaptcha)-response)$/.test(name)) lead[name] = value;
    else if (parts[0] === 'consent' || parts[0] === 'utm') (lead[parts[0]!] = lead[parts[0]!] || {})[parts[1] || 'status'] = value;
    else if (parts[0] === 'payload' && parts[1]) payload[parts[1]] = value;
    else if (!/^(anonId|eventId|thanks|error)$/.test(name)) payload[name] = value;
  });
  if (Object.keys(payload)[0]) lead.payload = payload;
  return lead;
}

async function submit(form: HTMLFormElement & { ffId?: string }): Promise<void> {
  const buttons = form.querySelectorAll<HTMLButtonElement>('button:not([type=button]),input[type=submit]');
  const enable = (on: boolean): void => buttons.forEach(button => {
    button.disabled = !on;
  });
  say(form, 'sending');
  enable(false);
  let message: string | undefined;
  // What is tried again counts once.
  const eventId = form.ffId = form.ffId || randomId();
  try {
    const answer = await fetch(form.action || host + '/v1/leads/capture', { method: 'POST', headers: { 'content-type': 'application/json', accept: 'application/json' }, body: JSON.stringify(read(form, eventId)), credentials: 'omit' });
    const said = await answer.json();
    if (answer.ok && said.ok) {
      // The server has stored the submit as an event of this visitor: another one from here would only be its duplicate.
      form.ffId = '';
      form.reset();
      say(form, 'success');
      return;
    }
  } catch {
    message = form.getAttribute('data-ff-offline') || undefined;
  } finally {
    enable(true);
  }
  say(form, 'error', message);
}

/** Takes the page's lead forms over. */
export function enhance(needs: FormNeeds): void {
  [anonId, host, property] = needs;
  document.addEventListener('submit', event => {
    const form = event.target as HTMLFormElement & { ff?: number };
    if (!form.hasAttribute('data-ff-lead') || event.defaultPrevented) return;
    event.preventDefault();
    if (form.getAttribute('data-ff-state') !== 'sending') void submit(form);
  });

  document.querySelectorAll('form[data-ff-lead]').forEach(form => {
    (form as any).ff = 1;
    statusOf(form as HTMLFormElement);
  });
}
