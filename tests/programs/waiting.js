// Async functions and generators that wait, in known numbers at known places, and V8's own account of it.
// usage: waiting.js [count] [--wait]
'use strict';
const { tell, lastStep } = require('./truth.js');

const count = Number(process.argv.slice(2).find((word) => /^\d+$/.test(word)) || 100);
const here = (text) => {
  // The place of a mark in this file: what an `await` after it is said to be at.
  const lines = require('fs').readFileSync(__filename, 'utf8').split('\n');
  const line = lines.findIndex((l) => l.includes(`/*${text}*/`));
  const column = lines[line].indexOf(`/*${text}*/`) + text.length + 4;
  return { line: line + 1, column: column + 1 };
};

const never = new Promise(() => {});
const kept = [];
let probed;

async function query(name) {
  /*query*/await (name === 'probe' ? null : never);
  // V8's own account of where those that wait for it are.
  if (name === 'probe') probed = new Error().stack;
  return name;
}
async function request(name) {
  const result = /*request*/await query(name);
  return result;
}
async function handler(name) {
  try {
    return /*handler*/await request(name);
  } finally {
    kept.length = 0;
  }
}
async function allOf() {
  return /*all*/await Promise.all([query('one'), never]);
}
async function thenOf() {
  return /*then*/await never.then((x) => x + 1);
}
async function raceOf() {
  return /*race*/await Promise.race([query('raced'), never]);
}
async function raceOfOthers() {
  return /*others*/await Promise.race([new Promise(() => {}), never]);
}
async function thenOfQuery() {
  return /*behind*/await query('then').then((x) => x).finally(() => {});
}
async function* values() {
  yield 1;
  /*values*/await never;
  yield 2;
}
async function loop() {
  for /*loop*/await (const value of values()) kept.push(value);
}
function* plain() {
  yield 1;
  yield 2;
}
async function done() {
  await null;
}

for (let i = 0; i < count; i++) kept.push(handler(i));
kept.push(allOf(), thenOf(), loop(), raceOf(), raceOfOthers(), thenOfQuery());
handler('probe');
const generator = plain();
generator.next();
kept.push(generator);
done();

setTimeout(() => {
  tell({
    program: 'waiting',
    count,
    // In each: how many, and where.
    places: {
      query: [count + 3, here('query')],
      request: [count, here('request')],
      handler: [count, here('handler')],
      allOf: [1, here('all')],
      thenOf: [1, here('then')],
      raceOf: [1, here('race')],
      raceOfOthers: [1, here('others')],
      thenOfQuery: [1, here('behind')],
      values: [1, here('values')],
      loop: [1, null],
    },
    stack: probed,
    kept: [kept, never, generator].length,
  });
  lastStep()();
}, 50);
