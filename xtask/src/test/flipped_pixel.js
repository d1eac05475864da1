// Flips one bit of the first attachment that a worker sends, before the program sees it.
const property = Object.getOwnPropertyDescriptor(Worker.prototype, 'onmessage');
let flipped = false;
const flip = (message) => {
  if (flipped || !Array.isArray(message)) return;
  for (const part of message.slice(1)) {
    if (flipped || !ArrayBuffer.isView(part) || part.byteLength === 0) continue;
    new Uint8Array(part.buffer)[part.byteLength >> 1] ^= 1;
    flipped = true;
  }
};
Object.defineProperty(Worker.prototype, 'onmessage', {
  ...property,
  set(handler) {
    property.set.call(this, handler && function (event) {
      flip(event.data);
      return handler.call(this, event);
    });
  },
});
