// Mulberry32: the same messages for the same seed, in every engine.
let state = SEED;
const random = (below) => {
  state = (state + 0x6d2b79f5) | 0;
  let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
  mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
  return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below);
};
const pick = (choices) => choices[random(choices.length)];

const falsy = [NaN, 0, -0, null, undefined, false, "", 0n];
const textless = [[], {}, [[[]]], new Array(1000), { length: 2 ** 32 }, { length: -1 }, { toString: 1, valueOf: 1 }];
const buffers = [new Uint8Array(3), new BigUint64Array([1n, 2n ** 64n - 1n]), new Float64Array([NaN]), new ArrayBuffer(8)];
const numbers = [-1, 0.5, 1, 7, 2 ** 32, 2 ** 53, 2 ** 64, 1e300, Infinity, -Infinity];
const others = [true, 10n, -1n, 2n ** 70n, new Date(NaN), /x/, new Map([[1, 2]]), new Set([1]), new Error("nonsense")];
const texts = ["x", "-", "wasm-mt", "\ud800", "x".repeat(5000)];
const nested = (depth) => {
  if (depth === 0) return any(0);
  return random(2) ? Array.from({ length: random(4) }, () => nested(depth - 1)) : { [pick(texts)]: nested(depth - 1) };
};
const any = (depth = 3) => {
  const kind = depth === 0 ? random(6) : random(7);
  return kind === 6 ? nested(depth) : pick([falsy, textless, buffers, numbers, others, texts][kind]);
};
const notText = () => pick([falsy.slice(0, 6), textless, buffers, numbers, others][random(5)]);
const notNumber = () => pick([falsy.slice(3), textless, buffers, others, texts][random(5)]);

// What the page reads of an object with the key, and what of that ends no worker.
const harmless = {
  print: any, url: any, text: any, task: any, begun: any, up: any, lock: notText,
  refused: notText, died: notText, closing: () => pick(falsy), unread: () => pick(falsy), sent: notNumber,
};
const object = (make) => {
  const message = { wasmMt: random(20) ? self.bootKey : any() };
  for (const field of Object.keys(harmless)) if (random(3) === 0) message[field] = make(field);
  return message;
};

// Bytes with the end of a packet: the lengths of two lanes, and the magic word.
const MAGIC = 0x746d7770;
const word = () => pick([0, 1, 2, 3, random(100), 2 ** 31, 2 ** 32 - 4, 2 ** 32 - 1]);
const bytes = (length, words) => {
  const body = new Uint8Array(length + 4 * words.length);
  for (let n = 0; n < Math.min(length, 300); n++) body[n] = random(4) ? random(12) : random(256);
  words.forEach((word, n) => new DataView(body.buffer).setUint32(length + 4 * n, word, true));
  return body;
};
const length = () => (random(10) ? random(100) : 64 * 1024 + random(50_000));
const torn = () => {
  const all = length();
  const tail = pick([[2 ** 32 - 1 - random(9), 0, MAGIC], [0, 2 ** 30 + random(2 ** 30), MAGIC], [all + 1, word(), MAGIC], [0, 0, word()]]);
  return random(2) ? bytes(all, tail) : [bytes(all, tail), ...Array.from({ length: random(5) }, () => any())];
};
// All lanes fit; what is in them is another matter.
const packet = () => {
  const attachments = Array.from({ length: random(4) }, () => (random(3) ? any() : [any(), any(), any()]));
  const addresses = random(3);
  const ways = attachments.map(() => pick([0, 1, 2, 2, 2, 3, 2 ** 32 - 1]));
  const lane = Array.from({ length: addresses }, () => word());
  const body = bytes(length(), [...lane, ...ways, 0, addresses, MAGIC]);
  const front = body.length - 4 * (lane.length + ways.length + 3);
  new DataView(body.buffer).setUint32(body.length - 12, Math.min(front, random(40)), true);
  return attachments.length ? [body, ...attachments] : body;
};

const post = (message) => self.postMessage(message);
for (let n = 0; n < 300; n++) post(pick([() => object((field) => harmless[field]()), torn, any])());
for (let n = 0; n < 30; n++) {
  post([() => object(() => any()), packet, () => ({ ...object(any), died: pick(texts) })][(n + SEED) % 3]());
}
