'use strict';
// Calculates without a pause: hot loops, inlined and recursive calls, builtins that call back, regular expressions,
// JSON, promises, WebAssembly, code that is deoptimized again and again. At every moment the outermost calls of its
// stack are the `bottom` ones, in this order, outermost first; a promise job (`waited`) runs alone.
// Says {file, bottom: [{name, first, last}]} (lines from 1), then {ready: pid}. Node from 12 on.
const { tell } = require('./truth.js');

const numbers = Array.from({ length: 2000 }, (_, i) => (i * 7919) % 2003);
const words = Array.from({ length: 300 }, (_, i) => `word${i % 17} of ${i}`);
const text = words.join(' ');
let sink = 0;

class Point {
  constructor(x, y) {
    this.x = x;
    this.y = y;
  }

  get length() {
    return Math.hypot(this.x, this.y);
  }

  plus(other) {
    return new Point(this.x + other.x, this.y + other.y);
  }
}

class Point3 extends Point {
  constructor(x, y, z) {
    super(x, y);
    this.z = z;
  }

  get length() {
    return super.length + this.z;
  }
}

function fibonacci(n) {
  return n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2);
}

function square(x) {
  return x * x;
}

function sumOfSquares(list) {
  let sum = 0;
  for (let i = 0; i < list.length; i++) sum = (sum + square(list[i])) % 1000003;
  return sum;
}

function points(count) {
  let sum = new Point(0, 0);
  for (let i = 0; i < count; i++) {
    const next = i % 3 ? new Point(i, 1) : new Point3(i, 2, 3);
    sum = sum.plus(next);
    if (next.length > 1e6) sum = next;
  }
  return sum.length;
}

function sorted() {
  return numbers.slice().sort((a, b) => a - b)[7];
}

function mapped() {
  return numbers
    .map((n) => n * 2 + 1)
    .filter((n) => n % 3 !== 0)
    .reduce((sum, n) => sum + n, 0);
}

function replaced() {
  return text.replace(/word(\d+)/g, (all, digits) => `<${digits}>`).length;
}

function matched() {
  let count = 0;
  const pattern = /([a-z]+)(\d*) (of|to) (\d+)/g;
  while (pattern.exec(text)) count++;
  // A regular expression that takes its time.
  return count + (/^(\w+\s?)*!$/.test(text.slice(0, 21)) ? 1 : 0);
}

function json() {
  const value = { words, nested: { toJSON: () => numbers.slice(0, 50) } };
  return JSON.parse(JSON.stringify(value), (key, part) => (key === '3' ? 3 : part)).words.length;
}

// One call with other types each time, so that what was compiled for the last ones is thrown away.
function shifting(round) {
  const kinds = [1, 1.5, 'text', { valueOf: () => 4 }, 10n];
  const add = new Function('a', 'b', 'let s = a; for (let i = 0; i < 3000; i++) s = i % 50 ? s : b; return s + b;');
  let last;
  for (let i = 0; i < 30; i++) {
    const kind = kinds[i < 25 ? round % 3 : (round + i) % 5];
    last = add(kind, kind);
  }
  return String(last).length;
}

function strings() {
  let all = '';
  for (let i = 0; i < 500; i++) all += String.fromCharCode(97 + (i % 26)) + i.toString(36);
  return all.split('a').map((part) => part.toUpperCase()).join('-').length + all.indexOf('zzz');
}

function* counter(end) {
  for (let i = 0; i < end; i++) yield i;
}

function iterated() {
  let sum = 0;
  for (const n of counter(500)) sum += n;
  for (const [key, value] of new Map(numbers.slice(0, 200).map((n) => [n, n]))) sum += key - value;
  const doubled = new Proxy(numbers, { get: (target, key) => Reflect.get(target, key) });
  for (let i = 0; i < 100; i++) sum += doubled[i];
  return sum + Math.max(...numbers.slice(0, 100)) + [...new Set(numbers)].length;
}

function thrown(depth) {
  if (depth === 0) throw new Error('thrown');
  try {
    thrown(depth - 1);
  } catch (error) {
    if (depth < 5) throw error;
    return error.message.length;
  } finally {
    sink++;
  }
  return 0;
}

const bytes = new Uint8Array([
  0, 97, 115, 109, 1, 0, 0, 0, 1, 6, 1, 96, 1, 127, 1, 127, 3, 2, 1, 0, 7, 8, 1, 4, 115, 112, 105, 110, 0, 0, 10, 33, 1,
  31, 1, 1, 127, 3, 64, 32, 1, 32, 0, 106, 65, 17, 108, 65, 7, 115, 33, 1, 32, 0, 65, 1, 107, 34, 0, 13, 0, 11, 32, 1,
  11,
]);
const wasm = WebAssembly.validate(bytes) ? new WebAssembly.Instance(new WebAssembly.Module(bytes)).exports : null;

function spun() {
  return wasm ? wasm.spin(200000) & 1 : 0;
}

async function waited(depth) {
  if (depth > 0) return (await waited(depth - 1)) + sumOfSquares(numbers);
  await null;
  return fibonacci(18);
}

const tasks = [
  () => fibonacci(23),
  () => sumOfSquares(numbers),
  () => points(20000),
  sorted,
  mapped,
  replaced,
  matched,
  json,
  shifting,
  strings,
  iterated,
  () => thrown(30),
  spun,
];

let round = 0;
function level3(end) {
  while (Date.now() < end) {
    const task = tasks[round % tasks.length];
    for (let i = 0; i < 3; i++) sink += Number(task(round)) || 0;
    round++;
  }
}

function level2(end) {
  level3(end);
  return sink;
}

function level1() {
  waited(5).then((value) => (sink += value));
  return level2(Date.now() + 40);
}

function main() {
  level1();
  setImmediate(main);
}

const lines = require('fs').readFileSync(__filename, 'utf8').split('\n');
function span(name) {
  const first = lines.findIndex((line) => line.startsWith(`function ${name}(`)) + 1;
  return { name, first, last: lines.indexOf('}', first) + 1 };
}
const end = Date.now() + 1500;
while (Date.now() < end) level1();
const job = lines.findIndex((line) => line.includes('.then((value)')) + 1;
tell({ file: __filename, job, bottom: ['main', 'level1', 'level2', 'level3'].map(span) });
tell({ ready: process.pid });
setImmediate(main);
