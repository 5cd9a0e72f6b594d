'use strict';
// Objects of classes that extend the language's own, each with properties in itself, in its property array and among
// its elements. Writes subclasses.heapsnapshot, says {classes} and dies. Node from 12 on.
const v8 = require('v8');
const { tell, lastStep } = require('./truth.js');

class Extra {
  constructor(of) {
    this.of = of;
  }
}

const key = {};
const bases = {
  ArrayBuffer: [8],
  SharedArrayBuffer: [8],
  Uint8Array: [8],
  Float64Array: [2],
  BigInt64Array: [2],
  DataView: [new ArrayBuffer(8)],
  Array: [3],
  Map: [[[1, key]]],
  Set: [[key]],
  WeakMap: [[[key, 1]]],
  WeakSet: [[key]],
  WeakRef: [key],
  FinalizationRegistry: [() => {}],
  Promise: [() => {}],
  RegExp: ['a+'],
  Date: [0],
  Error: ['text'],
  Function: ['return 1'],
  Number: [1],
  String: ['text'],
  Boolean: [true],
  Object: [],
};
const kept = [];
const classes = [];
for (const [name, values] of Object.entries(bases)) {
  const Base = globalThis[name];
  if (!Base) continue;
  const Sub = new Function('Base', 'Extra', `return class ${name}Sub extends Base {
    constructor(...values) {
      super(...values);
      this.extra = new Extra('extra');
      this.number = 1.5;
      this.last = new Extra('last');
    }
  }`)(Base, Extra);
  // The second of a class has room in itself that V8 learned from the first; the third has more than that.
  for (let i = 0; i < 3; i++) {
    const made = new Sub(...values);
    if (i === 2) for (let n = 0; n < 12; n++) made[`later${n}`] = new Extra('later');
    kept.push(made);
  }
  classes.push(`${name}Sub`);
}
globalThis.kept = kept;
v8.writeHeapSnapshot('subclasses.heapsnapshot');
tell({ classes });
lastStep()();
