"""What is wrong with the layout of the wall, found by any engine."""

from typing import Final

FAULTS: Final = """() => {
  const faults = [];
  const place = (box) => [box.left, box.top, box.right, box.bottom].map(Math.round).join(' ');
  const isClipped = (element) => {
    const { parentElement: parent } = element;
    return parent !== document.body
      && (getComputedStyle(parent).overflowX !== 'visible' || isClipped(parent));
  };
  const cards = [...document.querySelectorAll('.card')].map((card) => {
    const name = card.dataset.pillow;
    const box = card.getBoundingClientRect();
    for (const part of card.querySelectorAll('h2, .state, .when, .battery')) {
      const own = part.getBoundingClientRect();
      const isOut = own.left < box.left - 1 || own.right > box.right + 1
        || own.top < box.top - 1 || own.bottom > box.bottom + 1;
      if (own.width > 1 && isOut) {
        faults.push(`${name}: "${part.textContent}" at ${place(own)}, card at ${place(box)}`);
      }
    }
    const title = card.querySelector('h2');
    if (title.scrollHeight > title.clientHeight + 1) {
      faults.push(`${name}: name of ${title.scrollHeight} px is cut at ${title.clientHeight} px`);
    }
    return { name, box };
  });
  cards.forEach(({ name, box: one }, index) => cards.slice(0, index).forEach((other) => {
    const { box: two } = other;
    if (one.left < two.right - 1 && two.left < one.right - 1
        && one.top < two.bottom - 1 && two.top < one.bottom - 1) {
      faults.push(`${name} at ${place(one)} covers ${other.name} at ${place(two)}`);
    }
  }));
  const { scrollWidth } = document.documentElement;
  if (scrollWidth > innerWidth) {
    const outside = [...document.body.querySelectorAll('*')].map((element) => {
      const box = element.getBoundingClientRect();
      return { element, by: Math.round(Math.max(box.right - innerWidth, -box.left)) };
    }).filter(({ element, by }) => by > 0 && !isClipped(element));
    const names = outside.sort((one, two) => two.by - one.by).slice(0, 3).map(
      ({ element, by }) => `${element.tagName} "${element.id || element.className}" of `
        + `${element.closest('.card')?.dataset.pillow ?? 'the page'} by ${by} px`);
    faults.push(`${scrollWidth} px scroll sideways in ${innerWidth} px, outside: ${names}`);
  }
  return faults;
}"""
"""Returns a sentence for each text that is cut or outside of its card, for each card that covers
another one, and for a page that scrolls sideways; places are left, top, right and bottom in px."""
