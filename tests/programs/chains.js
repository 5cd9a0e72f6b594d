'use strict';
// Async functions that wait for one another in every way that V8's stack traces know or not.
// usage: chains.js all|any|allSettled|race|then|finally|generator|loop|nested
// `finish` makes its two calls at one and the same call site: the first takes the stack, the second ends
// the process.
const { tell, lastStep, stackFrom } = require('./truth.js');

function finish(steps) {
  for (let i = 0; i < steps.length; i++) {
    steps[i](i);
  }
}
function takeStack() {
  tell({ stack: stackFrom(takeStack).stack });
}
async function leaf() {
  await null;
  finish([takeStack, lastStep()]);
}
async function middle() {
  await leaf();
  return 1;
}
const never = new Promise(() => {});
async function* values() {
  yield await middle();
}

const ways = {
  async all() {
    await Promise.all([never, middle()]);
  },
  async any() {
    await Promise.any([never, never, middle()]);
  },
  async allSettled() {
    await Promise.allSettled([middle(), never]);
  },
  async race() {
    await Promise.race([middle(), never]);
  },
  async then() {
    await middle().then((one) => one + 1);
  },
  async finally() {
    await middle().finally(() => {});
  },
  async generator() {
    const made = values();
    await made.next();
  },
  async loop() {
    for await (const value of values()) return value;
  },
  async nested() {
    await Promise.all([Promise.all([ways.loop(), never]), ways.then()]);
  },
};
async function outer(way) {
  await ways[way]();
}
outer(process.argv[2]);
setTimeout(() => {}, 1000);
