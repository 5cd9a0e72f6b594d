// Operations for which generated code calls C++ directly, without an exit frame, or runs the code of a
// regular expression. Says the stack of each operation, then does them for ever.
'use strict';

let probing = false;
const stacks = {};

function told(name) {
  const holder = {};
  Error.captureStackTrace(holder, told);
  stacks[name] = holder.stack;
  return 1;
}

const left = 'x'.repeat(40).split('');
const letters = 'ж'.repeat(30) + 'я' + 'Ж'.repeat(30);
const old = [];

// The same line when it tells its stack.
const operations = [
  function sine(n) { return probing ? told('sine') : Math.sin(n + 0.5); },
  function joined(n) { return probing ? told('joined') : left.join(n & 1 ? '-' : '+').length; },
  function remembered(n) { return probing ? told('remembered') : (old[n % old.length].held = { n }).n; },
  function repeated(n) { return probing ? told('repeated') : /^(ж+)(я)\1$/i.test(letters) + n; },
];

function middle(n) {
  return operations.map(function each(operation) { return operation(n); }).length;
}

function outer(n) {
  return 'abc'.replace(/b/, function replacement() { return middle(n); });
}

let n = 0;
function round() {
  probing = n === 0;
  const rounds = probing ? 1 : 200;
  for (let i = 0; i < rounds; i++) outer(n++);
  if (n === 1) {
    for (let i = 0; i < 20000; i++) old.push({ held: null });
    if (global.gc) for (let i = 0; i < 3; i++) global.gc();
    console.log(JSON.stringify({ file: __filename, stacks }));
    console.log(JSON.stringify({ ready: 1 }));
  }
  setImmediate(round);
}

setImmediate(round);
