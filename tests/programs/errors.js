'use strict';
// Holds errors whose stack nobody has read, each with a twin from the same place whose stack is told.
// One JSON line: {stacks: {name: text}}; the errors are properties of `globalThis.held`.
const { tell, lastStep } = require('./truth.js');

class Maker {
  static create(kind) {
    return new kind('never read');
  }
  run(kind) {
    return [0, 1].map(() => Maker.create(kind));
  }
}
async function later(kind) {
  await null;
  return new Maker().run(kind);
}
function Failing() {
  this.error = new TypeError('made in a constructor');
}

const held = {};
globalThis.held = held;
const stacks = {};
function keep(name, [kept, told]) {
  held[name] = kept;
  stacks[name] = told.stack;
}

keep('plain', new Maker().run(Error));
keep('constructor', [0, 1].map(() => new Failing().error));
keep('eval', eval('[1, 2].map(function inEval() { return new RangeError("in eval"); })'));
keep('thrown', [0, 1].map(() => {
  try {
    return null.property;
  } catch (error) {
    return error;
  }
}));
keep('captured', [0, 1].map(() => {
  const made = {};
  Error.captureStackTrace(made);
  return made;
}));
keep('sorted', (() => {
  const made = [];
  [2, 1].sort(function compare(a, b) {
    for (let i = 0; i < 2; i++) made.push(new Error('in sort'));
    return a - b;
  });
  return made;
})());
async function waits(kind) {
  return await later(kind);
}
waits(Error).then((two) => {
  keep('async', two);
  tell({ stacks });
  const end = lastStep();
  end();
});
