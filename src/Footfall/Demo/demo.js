// What a site adds of its own. Calls made before the tracker is there wait in a queue.
window.footfall = window.footfall || function () { (window.footfall.q = window.footfall.q || []).push(arguments); };

// An experiment: the headline is calm or bold, always the same for a visitor.
if (document.querySelector('.hero')) {
  window.footfall('experiment', 'hero', ['calm', 'bold'], function (variant) {
    document.documentElement.setAttribute('data-hero', variant);
    document.querySelector('[data-variant]').textContent = 'You are shown the ' + variant + ' headline: an experiment, and every second visitor sees the other.';
  });
}

document.querySelectorAll('[data-cart]').forEach(function (button) {
  button.addEventListener('click', function () {
    document.querySelector('[data-cart-said]').textContent = 'It is in the basket.';
  });
});

// The diary: the events of the core journey.
var steps = document.querySelectorAll('[data-step]');
if (steps.length) {
  var sets = 0;
  window.footfall('event', 'tab_opened');
  steps.forEach(function (step, i) {
    step.addEventListener('click', function () {
      var name = step.getAttribute('data-step');
      window.footfall('event', name, name === 'exercise_logged' ? { exercise: 'swing', count: 10 } : undefined);
      if (name === 'exercise_logged') {
        sets += 1;
        document.querySelector('[data-sets]').textContent = sets * 10 + ' swings logged';
      } else {
        step.disabled = true;
      }
      if (steps[i + 1]) steps[i + 1].disabled = false;
      if (name === 'session_submitted') {
        document.querySelector('[data-step=exercise_logged]').disabled = true;
        document.querySelector('[data-saved]').textContent = 'Saved';
        document.querySelector('[data-badge]').hidden = false;
        window.footfall('event', 'achievement_unlocked', { achievement: 'first_entry' });
      }
    });
  });
}

// A look behind the counter: each event as the tracker sends it, through its hook. A real site leaves this out.
var seen = [];
try {
  seen = JSON.parse(sessionStorage.getItem('halda.counted')) || [];
} catch (e) { /* storage is blocked */ }
var counted = document.createElement('details');
counted.className = 'counted';
counted.innerHTML = '<summary></summary><p>What the tracker has sent in this visit, newest first.</p><ol></ol>';
document.body.appendChild(counted);

function line(event) {
  var props = event.props || {};
  if (event.eventType === 'experiment_assigned') return props.experimentId + ': ' + props.variantId;
  if (event.eventType === 'engagement') return Math.round(event.traffic.engagedTimeMs / 1000) + ' s, ' + event.traffic.scrollDepthPercent + ' % seen';
  if (event.eventType === 'web_vitals') return 'LCP ' + (event.traffic.webVitals.lcpMs || '-') + ' ms';
  return props.exercise || props.product || props.form || props.achievement || props.url || event.path;
}

function show() {
  counted.querySelector('summary').textContent = seen.length + (seen.length === 1 ? ' event counted' : ' events counted');
  var list = counted.querySelector('ol');
  list.textContent = '';
  seen.slice(-12).reverse().forEach(function (entry) {
    var item = document.createElement('li');
    item.appendChild(document.createElement('code')).textContent = entry[0];
    item.appendChild(document.createElement('span')).textContent = entry[1];
    list.appendChild(item);
  });
}

window.haldaCounted = function (event) {
  seen.push([event.eventType, line(event)]);
  try {
    sessionStorage.setItem('halda.counted', JSON.stringify(seen.slice(-200)));
  } catch (e) { /* not kept from page to page, then */ }
  show();
  return event;
};
show();
