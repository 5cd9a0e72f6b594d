// Functions that nobody wrote: a number makes them, with variables of all kinds in scopes of all kinds.
// One calls the next, each at one place of its own. What a variable holds is noted when it is given a
// value, not by reading it: many of them are never read, or not any more.
// usage: random.js NUMBER [plain|turbofan|maglev|hot|module|script|eval] [--wait]
//   plain     by whatever tier the flags leave (the default)
//   hot       each function ran so often before that V8 may have optimized it
//   turbofan, maglev  each function optimized (needs --allow-natives-syntax)
//   module    the code of modules instead of functions (needs --experimental-vm-modules)
//   script    the code of scripts
//   eval      what is given to `eval`, here and there
const Module = require('module');
const { tell, lastStep } = require('./truth.js');

const words = process.argv.slice(2);
const seed = Number(words.find((word) => /^\d+$/.test(word)) || 1);
const variant = words.find((word) => /^[a-z]+$/.test(word)) || 'plain';
const [major] = process.versions.node.split('.').map(Number);
const FUNCTIONS = 40;

// A generator of numbers below n (mulberry32).
let state = seed * 0x9e3779b9;
function below(n) {
  state = (state + 0x6d2b79f5) | 0;
  let t = Math.imul(state ^ (state >>> 15), 1 | state);
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
  return ((t ^ (t >>> 14)) >>> 0) % n;
}
const pick = (list) => list[below(list.length)];
const chance = (percent) => below(100) < percent;

// Variables by number: name, what they hold at first, whether anything uses them.
const variables = [];
const TDZ = null;
class Scope {
  constructor(outer, kind) {
    this.outer = outer;
    this.kind = kind;
    this.names = new Map();
    // Functions in blocks within.
    this.within = new Set();
  }
  get ofFunction() {
    let scope = this;
    while (scope.kind !== 'function') scope = scope.outer;
    return scope;
  }
  declare(name, first) {
    variables.push({ name, first });
    this.names.set(name, variables.length - 1);
    return variables.length - 1;
  }
  *visible() {
    const seen = new Set();
    for (let scope = this; scope; scope = scope.outer) {
      for (const [name, id] of scope.names) {
        if (!seen.has(name)) yield [name, id];
        seen.add(name);
      }
      if (scope.kind === 'function') return;
    }
  }
}

let value = 1000;
function literal() {
  value++;
  switch (below(8)) {
    case 0:
      return [`'s${value}'`, `'s${value}'`];
    case 1:
      return [`${value}.5`, `${value}.5`];
    case 2:
      return [`-${value}`, `-${value}`];
    case 3:
      return [`${value * 4000000}`, `${value * 4000000}`];
    default:
      return [`${value}`, `${value}`];
  }
}
// An assignment, noted when it is done: an inner variable of the name that comes later lets none be.
const assigned = (name, id) => {
  const [held, text] = literal();
  return `${name} = sink(${held}); N(${id}, show(${text}));`;
};
// An expression with a value that is noted.
const given = (id) => `R(${id}, ${literal()[0]})`;
const LEXICAL = ['a', 'b', 'c', 'd', 'e', 'x', 'y', 'é'];

class Maker {
  constructor(name) {
    this.name = name;
    this.left = 14 + below(30);
    this.stops = 0;
    this.wanted = [];
    this.labels = 0;
  }

  // The call of the next function, where its turn is.
  stop(scope) {
    this.stops++;
    const at = this.wanted.length;
    this.wanted.push(scope);
    return `(S(${this.number}, ${at}) && next())`;
  }

  // Any of what can be seen and written.
  known(scope, mayWrite) {
    const all = [...scope.visible()].filter(([, id]) => {
      const v = variables[id];
      return !v.isLater && !v.isOdd && (!mayWrite || !v.isConstant);
    });
    return all.length ? pick(all) : null;
  }

  // A value that is known when it is made: by one of few ways to write it.
  initial(scope, id) {
    if (chance(6)) return `(${this.stop(scope)}, ${given(id)})`;
    if (chance(10)) return `sink(${given(id)})`;
    if (chance(5)) return `T() ? ${given(id)} : 0`;
    if (chance(5)) return `[${given(id)}][0]`;
    return given(id);
  }

  // A pattern of names that are declared in the scope: its text, and what is taken apart.
  pattern(scope, depth, declare) {
    const count = 1 + below(3);
    const isArray = chance(50);
    const targets = [];
    const values = [];
    for (let i = 0; i < count; i++) {
      const isLast = i === count - 1;
      if (depth > 0 && chance(25)) {
        const [inner, from] = this.pattern(scope, depth - 1, declare);
        targets.push(isArray ? inner : `k${i}: ${inner}`);
        values.push(isArray ? from : `k${i}: ${from}`);
        continue;
      }
      const found = declare();
      if (!found) break;
      const [name, id] = found;
      variables[id].isLater = false;
      if (isLast && chance(25)) {
        // The rest: an array or an object.
        targets.push(`...${name}`);
        values.push(isArray ? `R(${id}, '[array 0]', [])` : `R(${id}, '[object Object]', {})`);
        if (isArray) values[values.length - 1] = `...${values[values.length - 1]}`;
        else values[values.length - 1] = `...${values[values.length - 1]}`;
        break;
      }
      const byDefault = chance(30);
      const key = isArray ? '' : chance(50) ? `k${i}: ` : `['k${i}']: `;
      targets.push(`${key}${name}${byDefault ? ` = ${given(id)}` : ''}`);
      const held = byDefault ? 'undefined' : given(id);
      values.push(isArray ? held : `k${i}: ${held}`);
    }
    return isArray
      ? [`[${targets.join(', ')}]`, `[${values.join(', ')}]`]
      : [`{ ${targets.join(', ')} }`, `{ ${values.join(', ')} }`];
  }

  freeName(scope, pool) {
    const free = pool.filter((name) => !scope.names.has(name) && !(scope.taken && scope.taken.has(name)));
    return free.length ? pick(free) : null;
  }

  lexical(scope, isConstant) {
    // What a script declares is there for all others: each run of each has names of its own.
    const own = LEXICAL.map((name) => `${name}_${this.number}_RUN`);
    const name = this.freeName(scope, scope.isOfScript ? own : LEXICAL);
    if (!name) return null;
    const id = scope.declare(name, TDZ);
    Object.assign(variables[id], { isLater: true, isConstant });
    scope.lexicals.push(id);
    return [name, id];
  }

  variable(scope) {
    const own = scope.ofFunction;
    const name = `v${below(6)}`;
    if (!own.names.has(name)) own.declare(name, 'undefined');
    return [name, own.names.get(name)];
  }

  statements(scope, depth) {
    const out = [];
    const count = 1 + below(depth > 3 ? 2 : 5);
    for (let i = 0; i < count && this.left > 0; i++) {
      this.left--;
      out.push(this.statement(scope, depth));
      if (chance(14)) out.push(`${this.stop(scope)};`);
    }
    return out;
  }

  // A block's text: what begins anew when it does is noted at its start.
  block(outer, depth, before) {
    const scope = new Scope(outer, 'block');
    scope.lexicals = [];
    scope.taken = new Set();
    if (before) before(scope);
    const inner = this.statements(scope, depth + 1);
    const anew = scope.lexicals.length ? `Z(${scope.lexicals.join(', ')}); ` : '';
    return `{ ${anew}${inner.join('\n')} }`;
  }

  closure(scope) {
    const found = this.known(scope, true);
    if (!found) return 'sink(() => 0);';
    const [name, id] = found;
    switch (below(4)) {
      case 0:
        return `keep(() => ${name});`;
      case 1:
        return `(() => { ${assigned(name, id)} })();`;
      case 2:
        return `(function () { keep(() => ${name}); ${assigned(name, id)} })();`;
      default:
        return `sink([1].map((n) => n + ${name}));`;
    }
  }

  statement(scope, depth) {
    const kinds = ['let', 'const', 'var', 'assign', 'pattern', 'use', 'closure', 'function', 'class', 'bare', 'update', 'fill'];
    if (depth < 5) kinds.push('block', 'block', 'if', 'for', 'forOf', 'forIn', 'forVar', 'while', 'do', 'switch', 'try', 'catchPattern', 'finally', 'labelled', 'forClosure', 'forPattern', 'finallyLeft');
    if (!this.isStrict && depth < 5 && chance(15)) kinds.push('with');
    if (!this.isStrict && chance(10)) kinds.push('eval');
    switch (pick(kinds)) {
      case 'with':
        return `with (sink({ k0: 1, v9: 2 })) ${this.block(scope, depth)}`;
      case 'eval': {
        const found = this.known(scope, true);
        return `eval(\`var added = 1; ${found ? assigned(found[0], found[1]) : ''}\`);`;
      }
      case 'let':
      case 'const': {
        const isConstant = chance(40);
        const found = this.lexical(scope, isConstant);
        if (!found) return ';';
        const text = this.initial(scope, found[1]);
        variables[found[1]].isLater = false;
        return `${isConstant ? 'const' : 'let'} ${found[0]} = ${text};`;
      }
      case 'bare': {
        const found = this.lexical(scope, false);
        if (!found) return ';';
        variables[found[1]].isLater = false;
        return `let ${found[0]}; N(${found[1]}, 'undefined');`;
      }
      case 'var': {
        const [name, id] = this.variable(scope);
        return chance(80) ? `var ${name} = ${this.initial(scope, id)};` : `var ${name};`;
      }
      case 'pattern': {
        if (chance(30)) {
          const taken = new Set();
          const [text, from] = this.pattern(scope, 2, () => {
            const [name, id] = this.variable(scope);
            if (taken.has(name)) return null;
            taken.add(name);
            return [name, id];
          });
          return `var ${text} = ${from};`;
        }
        const [text, from] = this.pattern(scope, 2, () => this.lexical(scope, false));
        return `let ${text} = ${from};`;
      }
      case 'assign': {
        const found = this.known(scope, true);
        if (!found) return ';';
        if (chance(80)) return assigned(found[0], found[1]);
        const [held, text] = literal();
        return `[${found[0]}] = [${held}]; N(${found[1]}, show(${text}));`;
      }
      case 'update': {
        const found = this.known(scope, true);
        if (!found) return ';';
        return `${found[0]} += 1; N(${found[1]}, show(${found[0]}));`;
      }
      case 'use': {
        const found = this.known(scope, false);
        return found ? `sink(${found[0]});` : ';';
      }
      case 'fill':
        // Temporaries of all kinds.
        return pick(['sink([1, sink(2), { a: sink(3) }]);', 'sink(`${sink(1)} ${sink(2)}`);', 'sink(...[1, 2], 3);', 'new Object(sink(1), sink(2));', 'sink(sink(1) + sink(2) * sink(3));', 'one?.length;'.replace('?.', major < 14 ? '.' : '?.'), 'delete { a: 1 }.a;', 'typeof one;']);
      case 'closure':
        return this.closure(scope);
      case 'function': {
        const name = this.freeName(scope, ['f0', 'f1', 'f2']);
        if (!name || scope.kind !== 'block') return ';';
        // V8 has seen both ways of a function in a block within one that has its name.
        if (scope.within.has(name)) return ';';
        for (let outer = scope.outer; outer !== scope.ofFunction; outer = outer.outer) {
          if (outer.names.has(name)) return ';';
        }
        for (let outer = scope; outer !== scope.ofFunction; outer = outer.outer) outer.within.add(name);
        const shown = `[function ${name}]`;
        scope.declare(name, shown);
        Object.assign(variables[scope.names.get(name)], { isConstant: true });
        let after = '';
        if (!this.isStrict) {
          const own = scope.ofFunction;
          if (!own.names.has(name)) {
            own.declare(name, 'undefined');
            variables[own.names.get(name)].isConstant = true;
          }
          after = ` N(${own.names.get(name)}, '${shown}');`;
        }
        const found = this.known(scope, false);
        return `function ${name}() { return ${found && chance(50) ? found[0] : 0}; }${after}`;
      }
      case 'class': {
        const found = this.lexical(scope, true);
        if (!found) return ';';
        const [name, id] = found;
        const seen = this.known(scope, false);
        variables[id].isLater = false;
        const members = pick(['m() { return 1; }', `m() { return ${name}; }`, `static s() {} get g() { return ${seen ? seen[0] : 1}; }`, 'constructor() {}', '[sink("k")]() {}', major < 14 ? '' : '#p = 1; m() { return this.#p; }', major < 18 ? '' : 'static { sink(1); }', major < 12 ? '' : 'static f = sink(2); g = 3;']);
        return `class ${name} ${chance(30) ? 'extends Object ' : ''}{ ${members} } N(${id}, '[function ${name}]');`;
      }
      case 'block':
        return this.block(scope, depth);
      case 'if':
        return chance(50) ? `if (T()) ${this.block(scope, depth)} else ${this.block(scope, depth)}` : `if (F()) ${this.block(scope, depth)} else ${this.block(scope, depth)}`;
      case 'while':
        return `while (O2(${++value})) ${this.block(scope, depth)}`;
      case 'do':
        return `do ${this.block(scope, depth)} while (F());`;
      case 'labelled': {
        const label = `l${this.labels++}`;
        const body = this.block(scope, depth);
        return `${label}: { ${body} if (T()) break ${label}; ${this.block(scope, 6)} }`;
      }
      // A `finally` that ends a loop or a block, whatever was to come.
      case 'finallyLeft': {
        const label = `l${this.labels++}`;
        const end = pick(['', 'sink(1);', 'break;', `break ${label};`, 'if (F()) continue;', 'sink(1); continue;', `{ { break ${label}; } }`, `if (T()) break ${label}; else sink(2);`]);
        const last = this.block(scope, depth).replace(/ }$/, ` ${end} }`);
        const inner = `try ${this.block(scope, depth)} finally ${last}`;
        return pick([`${label}: while (O2(${++value})) { ${inner} }`, `${label}: do ${inner} while (F());`, `${label}: for (globalThis.kk of [1, 2]) { ${inner} }`]);
      }
      case 'for':
      case 'forClosure': {
        const head = new Scope(scope, 'block');
        head.lexicals = [];
        const [name, id] = this.lexical(head, false);
        const second = chance(50) ? this.lexical(head, false) : null;
        const parts = [`${name} = ${this.initial(head, id)}`];
        variables[id].isLater = false;
        if (second) {
          parts.push(`${second[0]} = ${this.initial(head, second[1])}`);
          variables[second[1]].isLater = false;
        }
        const body = this.block(head, depth);
        const update = chance(60) ? `${name} = ${given(id)}` : '';
        const keeps = chance(40) ? `keep(() => ${name}), ` : '';
        return `Z(${head.lexicals.join(', ')}); for (let ${parts.join(', ')}; ${keeps}O2(${++value}); ${update}) ${body}`;
      }
      case 'forVar': {
        const [name, id] = this.variable(scope);
        return `for (var ${name} = ${given(id)}; O2(${++value}); ${name} = ${given(id)}) ${this.block(scope, depth)}`;
      }
      case 'forOf':
      case 'forIn': {
        const head = new Scope(scope, 'block');
        head.lexicals = [];
        const [name, id] = this.lexical(head, chance(50));
        const isIn = chance(40);
        const stop = chance(15) ? `(${this.stop(head)}, ` : '(';
        variables[id].isLater = false;
        const from = isIn ? `${stop}{ [R(${id}, 's${++value}')]: 1 })` : `${stop}[${given(id)}])`;
        const body = this.block(head, depth);
        return `Z(${id}); for (${variables[id].isConstant ? 'const' : 'let'} ${name} ${isIn ? 'in' : 'of'} ${from}) ${body}`;
      }
      case 'forPattern': {
        const head = new Scope(scope, 'block');
        head.lexicals = [];
        const [text, from] = this.pattern(head, 1, () => this.lexical(head, false));
        const body = this.block(head, depth);
        return `Z(${head.lexicals.join(', ')}); for (let ${text} of [${from}]) ${body}`;
      }
      case 'switch': {
        const inner = new Scope(scope, 'block');
        inner.lexicals = [];
        const cases = [];
        const count = 1 + below(3);
        const taken = below(count);
        for (let i = 0; i < count; i++) {
          const body = this.statements(inner, depth + 1).join('\n');
          // What an earlier clause declares has no value in a later one.
          for (const id of inner.lexicals) variables[id].isLater = true;
          cases.push(`case ${i}: ${body} ${chance(70) ? 'break;' : ''}`);
        }
        if (chance(30)) cases.push(`default: ${this.statements(inner, depth + 1).join('\n')}`);
        return `${inner.lexicals.length ? `Z(${inner.lexicals.join(', ')});` : ''} switch (sink(${taken})) { ${cases.join('\n')} }`;
      }
      case 'try': {
        const handler = new Scope(scope, 'block');
        handler.lexicals = [];
        const name = pick(LEXICAL);
        const id = handler.declare(name, TDZ);
        // What is caught is read, not foretold: a statement before the `throw` may throw too.
        const caught = `{ N(${id}, show(${name})); `;
        const body = this.block(handler, depth, (s) => s.taken.add(name)).replace('{ ', () => caught);
        const first = this.block(scope, depth).replace(/ }$/, ` throw ${given(id)}; }`);
        return `try ${first} catch (${name}) ${body}`;
      }
      case 'catchPattern': {
        const handler = new Scope(scope, 'block');
        handler.lexicals = [];
        const [text, from] = this.pattern(handler, 1, () => this.lexical(handler, false));
        const body = this.block(handler, depth, (s) => handler.names.forEach((_, n) => s.taken.add(n)));
        return `try { throw ${from}; } catch (${text}) ${body}`;
      }
      default:
        return `try ${this.block(scope, depth)} finally ${this.block(scope, depth)}`;
    }
  }

  parameters(scope) {
    const out = [];
    const passed = ['next'];
    const next = scope.declare('next', '[function next]');
    Object.assign(variables[next], { isConstant: true, isOdd: true });
    const names = ['p', 'q', 'r', 's'];
    const count = below(4);
    let simple = true;
    out.push('next');
    for (let i = 0; i < count; i++) {
      const kind = below(10);
      const declare = () => {
        const name = names.shift();
        return name ? [name, scope.declare(name, TDZ)] : null;
      };
      if (kind < 5) {
        const found = declare();
        if (!found) break;
        const [text, shown] = literal();
        variables[found[1]].first = shown;
        out.push(found[0]);
        passed.push(text);
      } else if (kind < 7) {
        const found = declare();
        if (!found) break;
        simple = false;
        out.push(`${found[0]} = ${given(found[1])}`);
        passed.push('undefined');
      } else if (kind < 9) {
        const [text, from] = this.pattern(scope, 1, declare);
        simple = false;
        out.push(text);
        passed.push(from);
      } else {
        const found = declare();
        if (!found) break;
        simple = false;
        variables[found[1]].first = '[array 2]';
        out.push(`...${found[0]}`);
        passed.push('7', '8');
        break;
      }
    }
    return { text: out.join(', '), passed: passed.join(', '), simple };
  }

  // A module, some of whose variables are exported.
  makeModule(number) {
    this.number = number;
    const scope = new Scope(null, 'function');
    scope.lexicals = [];
    this.isStrict = true;
    const next = scope.declare('next', '[function next]');
    Object.assign(variables[next], { isConstant: true, isOdd: true });
    const body = [...this.statements(scope, 0), `${this.stop(scope)};`, ...this.statements(scope, 1)];
    for (let i = below(6); i > 0; i--) {
      const found = this.known(scope, false);
      if (found) body.push(`sink(${found[0]});`);
    }
    const isDeclaration = (text) => /^(let|const|class) /.test(text);
    const parts = body.map((text) => (isDeclaration(text) && chance(30) ? `export ${text}` : text));
    const waits = chance(40) && major >= 16 ? ['await null;'] : [];
    return [`const next = nextOf(${number});`, `Z(${scope.lexicals.join(', ')});`, ...parts, ...waits].join('\n');
  }

  // A script, or what is given to `eval`; `saysSo`: it is strict by itself.
  makeScript(number, isStrict, saysSo, isEval) {
    this.number = number;
    const scope = new Scope(null, 'function');
    scope.lexicals = [];
    scope.isOfScript = !isEval;
    this.isStrict = isStrict;
    const body = [...this.statements(scope, 0), ...this.statements(scope, 0), `${this.stop(scope)};`, ...this.statements(scope, 1)];
    if (chance(50)) body.push(this.statement(scope, 0));
    if (chance(30)) {
      body.push('function own() {}');
      if (isEval && isStrict && chance(50)) {
        scope.declare('own', '[function own]');
        body.push('sink(own);');
      }
    }
    for (let i = below(4); i > 0; i--) {
      const found = this.known(scope, false);
      if (found) body.push(`sink(${found[0]});`);
    }
    if (scope.lexicals.length) body.unshift(`Z(${scope.lexicals.join(', ')});`);
    if (!isEval) body.unshift(`var next = nextOf(${number});`);
    if (saysSo) body.unshift(`'use strict';`);
    return body.join('\n');
  }

  make(number) {
    this.number = number;
    const scope = new Scope(null, 'function');
    scope.lexicals = [];
    this.isStrict = chance(25);
    const parameters = this.parameters(scope);
    if (!parameters.simple) this.isStrict = false;
    const shape = pick(['function', 'function', 'function', 'arrow', 'method', 'generator', 'async', 'asyncArrow', 'class', 'derived', 'getter', 'static', 'expression', 'asyncGenerator', 'nested']);
    // The code of a class is strict.
    if (shape === 'class' || shape === 'derived' || shape === 'static') this.isStrict = true;
    const body = [];
    const isArrow = shape === 'arrow' || shape === 'asyncArrow';
    if (!isArrow && shape !== 'nested' && chance(12)) body.push('sink(arguments.length);');
    if (chance(8)) body.push('sink(() => this);'.replace('this', shape === 'derived' ? '0' : 'this'));
    const rounds = 1 + below(2);
    for (let i = 0; i < rounds; i++) body.push(...this.statements(scope, 0));
    if (shape === 'derived') body.push(`super(); ${this.stop(scope)};`);
    if (chance(40) || !this.stops) body.push(`${this.stop(scope)};`);
    if (/async/i.test(shape) && chance(70)) body.splice(below(body.length), 0, 'sink(typeof (await null));');
    for (let i = below(4); i > 0; i--) {
      const found = this.known(scope, false);
      if (found) body.push(`sink(${found[0]});`);
    }
    const anew = scope.lexicals.length ? `Z(${scope.lexicals.join(', ')});` : '';
    const strict = this.isStrict && !['class', 'derived', 'static'].includes(shape) ? `'use strict';` : '';
    const inside = `${strict} ${anew}\n${body.join('\n')}\n`;
    const n = this.name;
    const p = parameters.text;
    const call = parameters.passed;
    switch (shape) {
      case 'arrow':
        return [`const ${n} = (${p}) => {${inside}};`, `${n}(${call})`, `${n}`];
      case 'method':
        return [`const o${n} = { ${n}(${p}) {${inside}} };`, `o${n}.${n}(${call})`, `o${n}.${n}`];
      case 'generator':
        return [`function* ${n}(${p}) {${inside}}`, `${n}(${call}).next()`, `${n}`];
      case 'async':
        return [`async function ${n}(${p}) {${inside}}`, `${n}(${call})`, `${n}`];
      case 'asyncArrow':
        return [`const ${n} = async (${p}) => {${inside}};`, `${n}(${call})`, `${n}`];
      case 'asyncGenerator':
        return [`async function* ${n}(${p}) {${inside}}`, `${n}(${call}).next()`, `${n}`];
      case 'class':
        return [`class ${n} { constructor(${p}) {${inside}} }`, `new ${n}(${call})`, `${n}`];
      case 'derived':
        return [`class ${n} extends Object { constructor(${p}) {${inside}} }`, `new ${n}(${call})`, `${n}`];
      case 'getter':
        return [`function ${n}(${p}) {${inside}}`, `${n}(${call})`, `${n}`];
      case 'static':
        return [`class C${n} { static ${n}(${p}) {${inside}} }`, `C${n}.${n}(${call})`, `C${n}.${n}`];
      case 'expression':
        return [`const h${n} = function ${n}(${p}) {${inside}};`, `h${n}(${call})`, `h${n}`];
      case 'nested':
        return [`const h${n} = function (u, w) { let z = u; return function ${n}(${p}) {${inside} sink([z, w]); }; }(1, 2);`, `h${n}(${call})`, `h${n}`];
      default:
        return [`function ${n}(${p}) {${inside}}`, `${n}(${call})`, `${n}`];
    }
  }
}

// What the functions call.
const held = [];
const shown = (v) => {
  if (typeof v === 'function') return `[function ${v.name}]`;
  if (Array.isArray(v)) return `[array ${v.length}]`;
  if (typeof v === 'object' && v !== null) return `[object ${v.constructor.name}]`;
  return typeof v === 'string' ? `'${v}'` : String(v);
};
function R(id, text, v) {
  held[id] = arguments.length > 2 ? text : shown(text);
  return arguments.length > 2 ? v : text;
}
function N(id, text) {
  held[id] = text;
}
function Z(...ids) {
  for (const id of ids) held[id] = null;
}
const turns = [];
function S(number, at) {
  if (turns[number].wanted !== at || turns[number].done) return false;
  turns[number].done = true;
  turns[number].note();
  return true;
}
const rounds = new Map();
// Twice, then no more.
function O2(id) {
  const n = (rounds.get(id) || 0) + 1;
  rounds.set(id, n % 3);
  return n < 3;
}
const kept = [];
const tools = { R, N, Z, S, O2, show: shown, T: () => true, F: () => false, sink: (v) => v, keep: (f) => kept.push(f), one: [1] };

Object.assign(globalThis, tools);
if (variant === 'module') modules();
else if (variant === 'script') scripts();
else if (variant === 'eval') evals();
else functions();

function scripts() {
  const vm = require('vm');
  const made = [];
  const nexts = [];
  globalThis.nextOf = (i) => nexts[i];
  for (let i = 0; i < FUNCTIONS; i++) {
    const maker = new Maker(`script${i}`);
    const first = variables.length;
    const isStrict = chance(25);
    const text = maker.makeScript(i, isStrict, isStrict, false);
    if (words.includes('--print')) console.log(text);
    made.push({ maker, first, end: variables.length, text });
  }
  run(made, (i, next, at) => {
    nexts[i] = next;
    const name = at === undefined ? made[i].maker.name : 'tried';
    const text = made[i].text.replace(/_RUN/g, at === undefined ? '_last' : `_t${at}`);
    try {
      new vm.Script(text, { filename: name }).runInThisContext();
    } catch (e) {
      if (!(e instanceof ReferenceError)) throw e;
    }
  });
}

// Where `eval` is called: whether that makes the code strict, and the call.
function evals() {
  const hosts = [
    [false, `(function (next, text) { let z = 1; { let y = 2; sink(() => y); return eval(text); } })`],
    [false, `(function (next, text) { let f0 = 1; { let f1 = 2; return eval(text); } })`],
    [true, `(function (next, text) { 'use strict'; let z = 1; return eval(text); })`],
    [false, `((next, text) => eval(text))`],
    [true, `((next, text) => { 'use strict'; { const z = 1; return eval(text); } })`],
    [false, `((next, text) => { globalThis.next = next; return (0, eval)(text); })`],
    [false, `((next, text) => { let u = 1; eval('let w = 2; { let f2 = 3; eval(text); }'); })`],
    [false, `(function (next, text, r = eval(text)) { return r; })`],
    [false, `((next, text) => (function* () { yield eval(text); })().next())`],
    [false, `((next, text) => { with ({ k: 1, f1: 2 }) { eval(text); } })`],
    [false, `((next, text) => { try { throw 1; } catch (f0) { eval(text); } })`],
    [true, `((next, text) => class { m() { return eval(text); } }.prototype.m())`],
    [true, `((next, text) => class extends Object { constructor() { super(); eval(text); } })`],
  ];
  if (major >= 12) hosts.push([true, `((next, text) => class { static f = eval(text); })`]);
  if (major >= 18) hosts.push([true, `((next, text) => class { static { let z = 1; eval(text); } })`]);
  const made = [];
  for (let i = 0; i < FUNCTIONS; i++) {
    const maker = new Maker(`eval${i}`);
    const first = variables.length;
    const [isStrict, host] = hosts[i % hosts.length];
    const saysSo = chance(25);
    const text = maker.makeScript(i, isStrict || saysSo, saysSo, true);
    if (words.includes('--print')) console.log(`// ${host}\n${text}`);
    made.push({ maker, first, end: variables.length, text, host: (0, eval)(host) });
  }
  run(made, (i, next, at) => {
    const name = at === undefined ? made[i].maker.name : 'tried';
    try {
      const r = made[i].host(next, `${made[i].text}\n//# sourceURL=${name}`);
      if (typeof r === 'function' && /extends/.test(r)) new r();
    } catch (e) {
      if (!(e instanceof ReferenceError)) throw e;
    }
  });
}

// Each module is there anew for each of its stops to be tried, and once more for the last time.
async function modules() {
  const vm = require('vm');
  const made = [];
  const nexts = [];
  globalThis.nextOf = (i) => nexts[i];
  for (let i = 0; i < FUNCTIONS; i++) {
    const maker = new Maker(`module${i}`);
    const first = variables.length;
    const text = maker.makeModule(i);
    if (words.includes('--print')) console.log(text);
    made.push({ maker, first, end: variables.length });
    made[i].instances = maker.wanted.map(() => new vm.SourceTextModule(text, { identifier: 'tried' }));
    made[i].last = new vm.SourceTextModule(text, { identifier: maker.name });
    for (const one of [...made[i].instances, made[i].last]) await one.link(() => {});
  }
  run(made, (i, next, at) => {
    const one = at === undefined ? made[i].last : made[i].instances[at];
    nexts[i] = next;
    // What comes after the stop may throw.
    one.evaluate().catch(() => {});
  });
}

// All functions in one module of Node's own kind.
function functions() {
  const made = [];
  const texts = [];
  for (let i = 0; i < FUNCTIONS; i++) {
    const maker = new Maker(`fn${i}`);
    const first = variables.length;
    const [text, call, itself] = maker.make(i);
    texts.push(`${text}\nexports.fn${i} = (next) => { try { const r = ${call}; if (r && r.catch) r.catch(() => {}); } catch (e) { if (!(e instanceof ReferenceError)) throw e; } };\nexports.f${i} = ${itself};`);
    made.push({ maker, first, end: variables.length, functionName: `fn${i}` });
  }
  const inner = new Module('/virtual/random.js', module);
  inner.paths = [];
  const text = `${texts.join('\n')}\nexports.functions = [];\n`;
  if (words.includes('--print')) {
    console.log(text);
    process.exit();
  }
  inner._compile(text, '/virtual/random.js');
  const call = (i, next) => inner.exports[`fn${i}`](next);
  run(made, call, (i) => inner.exports[`f${i}`]);
}

// Finds the stops, trains what is to be optimized, and goes through all. `call` has one run, for one of
// its stops to be tried if that is given; `functionOf` is what is optimized.
function run(made, call, functionOf) {
  const notes = {};
  function prepare(number, wanted, note) {
    const { first, end } = made[number];
    for (let id = first; id < end; id++) {
      held[id] = variables[id].first;
    }
    rounds.clear();
    turns[number] = { wanted, note, done: false };
  }
  function noteOf(number, wanted) {
    const { maker } = made[number];
    const seen = [...maker.wanted[wanted].visible()].map(([name, id]) => [name.replace('_RUN', '_last'), id]);
    return () => {
      notes[maker.name] = { scope: seen };
    };
  }
  // The stop that each has: any that it comes to without waiting.
  for (let i = 0; i < FUNCTIONS; i++) {
    const { maker } = made[i];
    const stops = [];
    for (let at = 0; at < maker.wanted.length; at++) {
      let reached = false;
      prepare(i, at, () => {});
      call(i, function next() { reached = true; }, at);
      if (reached) stops.push(at);
    }
    made[i].stop = stops.length ? stops[(seed * 7 + i) % stops.length] : -1;
  }
  const used = made.map((m, i) => i).filter((i) => made[i].stop >= 0);

  const natives = (name) => new Function('f', `%${name}(f)`);
  const noops = [() => {}, () => 1, () => 2, () => 3, () => 4, () => 5, () => 6];
  function train(i, times) {
    for (let n = 0; n < times; n++) {
      prepare(i, made[i].stop, () => {});
      call(i, noops[n % noops.length]);
    }
  }
  if (variant === 'hot') for (const i of used) train(i, 3000);
  if (variant === 'turbofan' || variant === 'maglev') {
    const optimize = natives(variant === 'maglev' ? 'OptimizeMaglevOnNextCall' : 'OptimizeFunctionOnNextCall');
    const prepareFor = natives('PrepareFunctionForOptimization');
    for (const i of used) {
      const f = functionOf(i);
      if (!f) continue;
      prepareFor(f);
      train(i, 100);
      optimize(f);
      train(i, 1);
    }
  }

  function finish(steps) {
    for (let i = 0; i < steps.length; i++) steps[i]();
  }
  function takeNotes() {
    const functions = {};
    for (const name of Object.keys(notes)) {
      const said = { values: {}, without: [] };
      for (const [variable, id] of notes[name].scope) {
        if (held[id] === null) said.without.push(variable);
        else said.values[variable] = held[id].replace('_RUN', '_last');
      }
      functions[name] = said;
    }
    tell({ program: 'random', variant, node: process.version, functions });
  }
  function go(at) {
    if (at === used.length) {
      finish([takeNotes, lastStep()]);
      return;
    }
    const i = used[at];
    const note = noteOf(i, made[i].stop);
    prepare(i, made[i].stop, note);
    call(i, function next() { go(at + 1); });
  }
  kept.length = 0;
  go(0);
}
