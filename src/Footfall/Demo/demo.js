// What a site adds of its own. Calls made before the tracker is there wait in a queue.
window.footfall = window.footfall || function () { (window.footfall.q = window.footfall.q || []).push(arguments); };

// An experiment: the headline is calm or bold, always the same for a visitor.
if (document.querySelector('.hero')) {
  window.footfall('experiment', 'hero', ['calm', 'bold'], function (variant) {
    document.documentElement.setAttribute('data-hero', variant);
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
        document.querySelector('[data-sets]').textContent = sets * 10 + ' swings';
      } else {
        step.disabled = true;
      }
      if (steps[i + 1]) steps[i + 1].disabled = false;
      if (name === 'session_submitted') {
        document.querySelector('[data-step=exercise_logged]').disabled = true;
        document.querySelector('[data-badge]').hidden = false;
        window.footfall('event', 'achievement_unlocked', { achievement: 'first_entry' });
      }
    });
  });
}
