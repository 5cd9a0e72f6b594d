// One object of its own class for every way of being referred to, and what refers to it.
// Prints a line for each: the class of the object, what a search for it must find (type and place).
const { tell, lastStep } = require('./truth.js');

const kept = [];
const wanted = [];

// A new class with one object that `hold` holds; `hold` returns what must be found.
function way(name, hold) {
  const type = 'Held' + name;
  const Held = named(type);
  const found = hold(new Held());
  wanted.push({ type, found: [].concat(found) });
}

// A class of this name.
function named(name) {
  return new Function(`return class ${name} {}`)();
}

way('Property', (held) => {
  const Holder = named('PropertyHolder');
  const holder = new Holder();
  holder.first = 1;
  holder.second = held;
  kept.push(holder);
  return 'PropertyHolder.second';
});
way('FarProperty', (held) => {
  const Holder = named('FarHolder');
  const holder = new Holder();
  for (let i = 0; i < 40; i++) holder['p' + i] = i;
  holder.far = held;
  kept.push(holder);
  return 'FarHolder.far';
});
way('DictionaryProperty', (held) => {
  const Holder = named('DictionaryHolder');
  const holder = new Holder();
  for (let i = 0; i < 40; i++) holder['p' + i] = i;
  delete holder.p7;
  holder.listed = held;
  kept.push(holder);
  return 'DictionaryHolder.listed';
});
way('SymbolProperty', (held) => {
  const Holder = named('SymbolHolder');
  const holder = new Holder();
  holder[Symbol('sign')] = held;
  kept.push(holder);
  return "SymbolHolder.Symbol('sign')";
});
way('Element', (held) => {
  const Holder = named('ElementHolder');
  const holder = new Holder();
  holder[3] = held;
  kept.push(holder);
  return 'ElementHolder[3]';
});
way('SparseElement', (held) => {
  const array = [];
  array[20000000] = held;
  kept.push(array);
  return '(Array)[20000000]';
});
way('Captured', (held) => {
  kept.push(() => held);
  return 'Context.held';
});
way('MapValue', (held) => {
  kept.push(new Map([['its key', held]]));
  return 'Map.<value of "its key">';
});
way('MapKey', (held) => {
  kept.push(new Map([[held, 5]]));
  return 'Map.<key>';
});
way('SetEntry', (held) => {
  kept.push(new Set([1, held]));
  return 'Set.<member>';
});
way('WeakMapKey', (held) => {
  const map = new WeakMap();
  map.set(held, 1);
  kept.push(map, held);
  return 'WeakMap.<key>';
});
way('WeakMapValue', (held) => {
  const map = new WeakMap();
  const key = {};
  map.set(key, held);
  kept.push(map, key);
  return 'WeakMap.<value';
});
way('Getter', (held) => {
  const Holder = named('GetterHolder');
  const holder = new Holder();
  function getter() {}
  getter.behind = held;
  Object.defineProperty(holder, 'gotten', { get: getter, configurable: true });
  kept.push(holder);
  return 'Function.behind';
});
way('Prototype', (held) => {
  kept.push(Object.create(held));
  return '.<prototype>';
});
way('BoundThis', (held) => {
  kept.push(function target() {}.bind(held));
  return 'Function.<bound this>';
});
way('BoundArgument', (held) => {
  kept.push(function target() {}.bind(null, 1, held));
  return 'Function.<bound arguments[1]>';
});
way('Generator', (held) => {
  const generator = (function* makes() {
    const local = held;
    yield 1;
    kept.push(local);
  })();
  generator.next();
  kept.push(generator);
  return ['Context.held', '<registers['];
});
way('Resolved', (held) => {
  kept.push(Promise.resolve(held));
  return 'Promise.<reactions or result>';
});
way('Reaction', (held) => {
  const promise = new Promise(() => {});
  function reaction() {}
  reaction.behind = held;
  promise.then(reaction);
  kept.push(promise);
  return 'Function.behind';
});
way('WeakRef', (held) => {
  if (typeof WeakRef === 'undefined') return [];
  kept.push(new WeakRef(held), held);
  return 'WeakRef.<target>';
});
way('Proxy', (held) => {
  kept.push(new Proxy(held, {}));
  return '.<target>';
});
way('ProxyHandler', (held) => {
  kept.push(new Proxy({}, held));
  return '.<handler>';
});
way('Cause', (held) => {
  const error = new Error('with a cause');
  error.cause = held;
  kept.push(error);
  return 'Error.cause';
});
way('Arguments', (held) => {
  (function take() {
    kept.push(arguments);
  })(1, held);
  return 'Arguments[1]';
});
way('Iterator', (held) => {
  kept.push([1, 2].entries.call(held));
  return 'Array Iterator.';
});
way('BufferProperty', (held) => {
  class BufferHolder extends ArrayBuffer {
    constructor() {
      super(8);
      this.owner = held;
    }
  }
  kept.push(new BufferHolder());
  return 'BufferHolder.owner';
});
way('Global', (held) => {
  globalThis.heldByGlobal = held;
  return 'Global.heldByGlobal';
});

globalThis.kept = kept;
tell({ wanted });
const finish = lastStep();
finish();
