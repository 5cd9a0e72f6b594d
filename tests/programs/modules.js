// ES modules: what they export and import, what functions of them see, and their own code's variables.
// Each says what its variables hold just before it calls: `note(place, values, without)`, the place
// being a function's name or a module's file; `without` are those that have no value yet.
// usage: modules.js [plain|hot|turbofan|maglev|await|suspended] [--wait]
//   hot, turbofan, maglev  functions of the modules ran so often before that V8 has optimized them
//   await      the code of a module that has waited already
//   suspended  functions of a module whose own code waits
const { tell, lastStep } = require('./truth.js');

const variant = process.argv.slice(2).find((word) => /^[a-z]+$/.test(word)) || 'plain';

const show = (value) => {
  if (Object.prototype.toString.call(value) === '[object Module]') return '[object Module]';
  if (typeof value === 'function') return `[function ${value.name}]`;
  if (Array.isArray(value)) return `[array ${value.length}]`;
  if (typeof value === 'object' && value !== null) return `[object ${value.constructor.name}]`;
  return typeof value === 'string' ? `'${value}'` : String(value);
};
const notes = new Map();
const kept = [];
function takeNotes() {
  const places = {};
  for (const [name, { values, without }] of notes) {
    places[name] = { values: {}, without };
    for (const key of Object.keys(values)) places[name].values[key] = show(values[key]);
  }
  tell({ program: 'modules', variant, node: process.version, places });
}
function finish(steps) {
  for (let i = 0; i < steps.length; i++) steps[i]();
}
const noops = [() => {}, () => 1, () => 2, () => 3, () => 4, () => 5, () => 6];
const natives = (name) => new Function('f', `%${name}(f)`);
Object.assign(globalThis, {
  variant,
  note(place, values, without) {
    notes.set(place, { values, without: without || [] });
  },
  keep: (f) => kept.push(f),
  sink: (value) => value,
  end() {
    finish([takeNotes, lastStep()]);
  },
  // Has functions optimized that take what they call next.
  train(functions) {
    for (const f of functions) {
      if (variant === 'hot') for (let i = 0; i < 4000; i++) f(noops[i % noops.length]);
      if (variant !== 'turbofan' && variant !== 'maglev') continue;
      natives('PrepareFunctionForOptimization')(f);
      for (let i = 0; i < 100; i++) f(noops[i % noops.length]);
      natives(variant === 'maglev' ? 'OptimizeMaglevOnNextCall' : 'OptimizeFunctionOnNextCall')(f);
      f(noops[0]);
    }
    notes.clear();
  },
});

const fail = (error) => {
  console.error(error.stack);
  process.exit(1);
};
if (variant === 'await' || variant === 'suspended') import('./awaits.mjs').catch(fail);
else import('./importer.mjs').catch(fail);
