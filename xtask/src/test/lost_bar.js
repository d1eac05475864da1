// Draws one bar of a timeline less than the program asks for.
const { insertAdjacentHTML } = Element.prototype;
let lost = false;
Element.prototype.insertAdjacentHTML = function (position, html) {
  if (!lost && html.startsWith('<i')) {
    lost = true;
    return;
  }
  insertAdjacentHTML.call(this, position, html);
};
