'use strict';
// Dies below frames of V8's own code of many kinds: builtins that call functions, parts of them, the
// code that constructs, and that a getter, a generator and a proxy are called by.
const { tell } = require('./truth.js');

function compare(a, b) {
  if (a === 3) {
    tell({ stack: new Error().stack });
    throw new Error('in sort');
  }
  return a - b;
}
class Made {
  constructor() {
    [5, 4, 3, 2, 1].sort(compare);
  }
  get made() {
    return new Made();
  }
  toJSON() {
    return this.made;
  }
}
const target = (made) => JSON.stringify({ made });
const proxy = new Proxy(target, {
  apply(target, receiver, list) {
    return Reflect.apply(target, receiver, list);
  },
});
function* steps() {
  yield [Object.create(Made.prototype)].map(proxy);
}
new Map([[1, 2]]).forEach(() => [...steps()]);
