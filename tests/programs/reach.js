'use strict';
// What holds what, and what holds nothing: contexts that are left behind, weak collections, cycles, objects that only
// the stack knows, memory outside the heap. V8's own account of it is written right before the end.
// usage: node --expose-gc --expose-externalize-string reach.js [--wait]
const v8 = require('v8');
const vm = require('vm');
const { tell, lastStep } = require('./truth.js');

class LiveKey {}
class LiveValue {}
class ChainKey {}
class ChainValue {}
class DeadKey {}
class DeadValue {}
class WeaklyHeld {}
class WeaklyLost {}
class Ring {}
class LostRing {}
class OnStack {}
class InDetached {}

const held = { weak: new WeakMap(), set: new WeakSet(), keys: [], refs: [], detached: [], contexts: [] };

(function weakCollections() {
  for (let i = 0; i < 50; i++) {
    const key = new LiveKey();
    held.keys.push(key);
    // A chain: the value of the first key is the only one that knows the second key.
    const next = new ChainKey();
    const value = new LiveValue();
    value.next = next;
    held.weak.set(key, value);
    held.weak.set(next, new ChainValue());
    held.set.add(key);
    // Keys that nothing knows, with values that know their keys.
    const dead = new DeadKey();
    const lost = new DeadValue();
    lost.key = dead;
    held.weak.set(dead, lost);
    held.set.add(dead);
    if (typeof WeakRef === 'function') {
      const kept = new WeaklyHeld();
      held.keys.push(kept);
      held.refs.push(new WeakRef(kept), new WeakRef(new WeaklyLost()));
    }
  }
})();

(function cycles() {
  let last = null;
  const first = new Ring();
  for (let i = 1, at = first; i < 40; i++, at = last) {
    last = new Ring();
    at.next = last;
  }
  last.next = first;
  held.ring = first;
})();

(function contexts() {
  for (let i = 0; i < 3; i++) held.contexts.push(vm.createContext({ number: i }));
  // Nothing but a function of theirs is left of these.
  for (let i = 0; i < 2; i++) {
    const context = vm.createContext({ InDetached });
    held.detached.push(vm.runInContext('(function inDetached() { return new InDetached(); })', context));
  }
  held.made = held.detached.map((make) => make());
})();

held.bytes = new ArrayBuffer(3 << 20);
held.view = new Uint8Array(held.bytes, 16, 32);
held.shared = new SharedArrayBuffer(1 << 16);
held.external = Buffer.alloc(20000, 'an external string ').toString('latin1');
globalThis.held = held;

function leaveGarbage(count) {
  // Pairs that know each other only.
  for (let i = 0; i < count; i++) {
    const one = new LostRing();
    one.other = new LostRing();
    one.other.other = one;
  }
}

const end = lastStep();
function last() {
  const only = new OnStack();
  v8.writeHeapSnapshot('reach.heapsnapshot');
  leaveGarbage(200);
  end(only);
}
// What runs after the snapshot is compiled before it.
leaveGarbage(1);
tell({ program: 'reach', node: process.version, external: typeof externalizeString === 'function' });
// Again: a collection may leave for the next one what the stack still showed it.
gc();
setTimeout(() => {
  gc();
  if (typeof externalizeString === 'function') externalizeString(held.external);
  gc();
  void new Error('here').stack;
  last();
}, 300);
