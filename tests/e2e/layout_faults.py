"""What is wrong with the layout of the wall, found by any engine."""

from typing import Final

FAULTS: Final = """() => {
  const faults = [];
  const boxes = [...document.querySelectorAll('.card')].map((card) => {
    const box = card.getBoundingClientRect();
    for (const part of card.querySelectorAll('h2, .state, .when, .battery')) {
      const own = part.getBoundingClientRect();
      const isOut = own.left < box.left - 1 || own.right > box.right + 1
        || own.top < box.top - 1 || own.bottom > box.bottom + 1;
      if (own.width > 1 && isOut) faults.push(`${card.dataset.pillow}: ${part.textContent}`);
    }
    const name = card.querySelector('h2');
    if (name.scrollHeight > name.clientHeight + 1) faults.push(`${name.textContent} is cut`);
    return box;
  });
  boxes.forEach((one, index) => boxes.slice(0, index).forEach((other) => {
    if (one.left < other.right - 1 && other.left < one.right - 1
        && one.top < other.bottom - 1 && other.top < one.bottom - 1) {
      faults.push(`overlap of ${index}`);
    }
  }));
  if (document.documentElement.scrollWidth > innerWidth) faults.push('sideways scroll');
  return faults;
}"""
"""Returns a sentence for each text that is cut or outside of its card, for each card that covers
another one, and for a page that scrolls sideways."""
