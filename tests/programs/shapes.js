// Functions of many shapes, for tests/registers.rs: in each, variables are given numbers that occur
// nowhere else in it. usage: node --print-bytecode shapes.js FILE, which says what the functions are.
const shapes = [];
const call = [];

function shape(f, more) {
  const text = f.toString();
  const kind = Object.getPrototypeOf(f).constructor.name;
  shapes.push(
    Object.assign(
      {
        name: f.name,
        text,
        arrow: !/^(async )?function|^class|^(async )?\*? ?sh\w*\(|^[gs]et sh/.test(text),
        is_async: kind.startsWith('Async'),
        generator: kind.endsWith('GeneratorFunction'),
        class: text.startsWith('class'),
        strict: text.startsWith('class') || /^[^{]*\{\s*'use strict'/.test(text),
        own: null,
      },
      more
    )
  );
  call.push(f);
}

function use() {}
const Base = Object;
const some = { a: 1, b: { c: 2 }, list: [1, 2] };

shape(function shPlain(p, q) {
  var a = 1001;
  let b = 1002;
  const c = 1003;
  var unused;
  var d;
  d = 1004;
  p = 1005;
  use(a, b, c, d, p, q);
});
shape(function shBlocks() {
  let a = 1001;
  {
    let b = 1002;
    {
      const a = 1003;
      var v = 1004;
      use(a, b, v);
    }
    {
      let c = 1005;
      use(c);
    }
    let e = 1006;
    use(e);
  }
  {
    let f = 1007;
    use(f);
  }
  if (a) {
    let g = 1008;
    use(g);
  } else {
    let h = 1009;
    use(h);
  }
  let last = 1010;
  use(a, last);
});
shape(function shCaptured(p) {
  let a = 1001;
  let b = 1002;
  var c = 1003;
  {
    let d = 1004;
    let e = 1005;
    use(() => d + e);
    e = 1006;
  }
  p = 1007;
  use(() => a + p, b, function () {
    return c;
  });
});
shape(function shLoops(list) {
  for (let i = 1001, n = 1002; i < 0; i++) {
    let inner = 1003;
    use(i, n, inner);
  }
  for (let i = 1004, n = 1005; i < 0; i++) {
    let inner = 1006;
    use(() => i, n, inner);
    n = 1007;
  }
  for (let i = 1008; i < 0; ) {
    use(() => 0);
    i = 1009;
  }
  for (const x of [1]) {
    let y = 1010;
    use(x, y);
  }
  for (let x in list) {
    x = 1011;
    use(x);
  }
  for (let [x, z] of [[1, 2]]) {
    x = 1012;
    z = 1013;
    use(x, () => z);
  }
  for (var w of []) {
    w = 1014;
  }
  for (w in {}) use(w);
  for (var j = 1015; j < 0; j++) {
    const k = 1016;
    use(k);
  }
  do {
    const m = 1017;
    use(m);
  } while (false);
  let last = 1018;
  use(last);
});
shape(function shSwitch(p) {
  switch (p) {
    case 1:
      let a = 1001;
      use(a);
      break;
    case 2: {
      let b = 1002;
      use(b);
    }
    default:
      const c = 1003;
      use(c);
  }
  switch (p) {
    case 3:
      use();
  }
  let last = 1004;
  use(last);
});
shape(function shTry() {
  try {
    let a = 1001;
    use(a);
  } catch (error) {
    let b = 1002;
    error = 1003;
    use(b, error);
  } finally {
    let c = 1004;
    use(c);
  }
  try {
    use();
  } catch ({ message, stack }) {
    var e = 1005;
    message = 1006;
    use(message, stack);
  }
  try {
    use();
  } catch {
    let f = 1007;
    use(f);
  }
  try {
    throw 1;
  } catch (v) {
    var v = 1008;
    use(v);
  }
  let last = 1009;
  use(last, e);
});
shape(function shPatterns() {
  let { a, b: { c, ...others } } = some;
  a = 1001;
  c = 1002;
  others = 1003;
  var [d, [e] = [1], ...f] = [1, [2], 3];
  d = 1004;
  e = 1005;
  f = 1006;
  let { g = 1007, ['x']: h = use(), i } = some;
  h = 1008;
  i = 1009;
  let last = 1010;
  use(a, c, others, d, e, f, g, h, i, last);
});
shape(function shDefaults(p, q = use(), { r, s: t } = some, [u] = [1], ...rest) {
  p = 1001;
  q = 1002;
  r = 1003;
  t = 1004;
  u = 1005;
  rest = 1006;
  var a = 1007;
  let b = 1008;
  use(p, q, r, t, u, rest, a, b);
});
shape(function shDefaultsCaptured(p, q = () => p, r = 2) {
  p = 1001;
  q = 1002;
  r = 1003;
  var p;
  var a = 1004;
  use(p, q, r, () => a);
  let last = 1005;
  use(last);
});
shape(function shRest(p, ...rest) {
  p = 1001;
  rest = 1002;
  let a = 1003;
  use(p, rest, a);
});
shape(function shArguments(p, q) {
  p = 1001;
  let a = 1002;
  use(arguments, q, a);
  let last = 1003;
  use(last);
});
shape(function shArgumentsStrict(p, q) {
  'use strict';
  p = 1001;
  let a = 1002;
  use(arguments, q, a);
  let last = 1003;
  use(last);
});
shape(function shNewTarget() {
  let a = 1001;
  use(new.target, a);
});
shape(
  function shNamed(p) {
    let a = 1001;
    use(shNamed, a, p);
    {
      let b = 1002;
      use(b);
    }
  },
  { own: 'shNamed' }
);
shape(
  function shNamedCaptured(p) {
    let a = 1001;
    use(() => shNamedCaptured, a, p);
  },
  { own: 'shNamedCaptured' }
);
shape(function shFunctions() {
  function inner() {}
  function seen() {}
  var a = 1001;
  {
    function inBlock() {}
    function seenInBlock() {}
    let b = 1002;
    use(seenInBlock, b);
    seenInBlock = 1003;
  }
  if (a) function alone() {}
  use(seen, a, inBlock);
  seen = 1004;
  let last = 1005;
  use(last);
});
shape(function shFunctionsStrict() {
  'use strict';
  let a = 1001;
  {
    function inBlock() {}
    function seenInBlock() {}
    let b = 1002;
    use(seenInBlock, b);
  }
  let last = 1003;
  use(a, last);
});
shape(function shClasses() {
  let a = 1001;
  class A {
    m() {
      return 1;
    }
  }
  class B extends A {
    m() {
      return B;
    }
    static s = 1;
    #secret = 2;
    f = a;
  }
  const C = class Named extends (use(() => 1), A) {
    [use(a)]() {}
  };
  let b = 1002;
  A = 1003;
  use(B, C, b);
  {
    class D {}
    let c = 1004;
    use(D, c);
  }
  let last = 1005;
  use(last);
});
shape(function shClassesAlone() {
  let a = 1001;
  for (let i = 1002; i < 0; i++) {
    let b = 1003;
    use(class K extends Base {}, b);
  }
  for (let i = 1004; i < 0; i++) {
    use(class {});
  }
  {
    let c = 1005;
    use(c);
  }
  return class L {
    static s = a;
  };
});
shape(function shLabels() {
  outer: for (let i = 1001; i < 0; i++) {
    inner: {
      let a = 1002;
      if (a) break inner;
      continue outer;
    }
  }
  let last = 1003;
  use(last);
});
shape(function shSpread(list) {
  let a = 1001;
  some.list.push(...list, a);
  some.list.concat(a, ...list);
  use(...list, a);
  let b = 1002;
  use(b);
});
shape(function shTernary(p) {
  let a = p ? 1001 : use();
  a = 1002;
  let b = `${a} ${p}`;
  b = 1003;
  let c = /x/.test(b);
  c = 1004;
  use(c);
});
const shArrow = (p) => {
  let a = 1001;
  for (const x of []) {
    let b = 1002;
    use(x, b);
  }
  switch (p) {
    case 1:
      let c = 1003;
      use(c);
  }
  p = 1004;
  let last = 1005;
  use(a, last, () => a);
};
shape(shArrow);
const shArrow2 = (p, q = 1, ...rest) => {
  let a = 1001;
  q = 1002;
  rest = 1003;
  p = 1004;
  use(p, q, rest, a);
  {
    let b = 1005;
    use(b);
  }
};
shape(shArrow2);
const shArrow3 = async (p, { q }) => {
  let a = 1001;
  await use();
  q = 1002;
  for (const x of []) {
    const b = 1003;
    await use(x, b, p);
  }
  use(a);
};
shape(shArrow3);
const shArrow4 = async (p) => {
  let a = 1001;
  await use();
  p = 1002;
  const b = 1003;
  use(a, b, p, this);
};
shape(shArrow4);
shape(async function shAsync(p) {
  let a = 1001;
  await use();
  for await (const x of []) {
    let b = 1002;
    use(x, b);
  }
  for await (var y of []) {
    y = 1003;
  }
  try {
    await use();
  } catch (error) {
    let c = 1004;
    use(c);
  }
  let last = 1005;
  use(a, last, p);
});
shape(async function shAsyncDefaults(p = 1, [q] = [2]) {
  let a = 1001;
  await use();
  q = 1002;
  let last = 1003;
  use(a, last, p);
});
shape(function* shGenerator(p) {
  let a = 1001;
  yield a;
  for (let i = 1002; i < 0; i++) {
    let b = 1003;
    yield () => i + b;
  }
  let last = 1004;
  yield* [last, p];
});
shape(async function* shAsyncGenerator(p) {
  let a = 1001;
  yield a;
  const b = 1002;
  yield* [b];
  await use(p);
  let last = 1003;
  use(last);
});
const methods = {
  shMethod(p) {
    let a = 1001;
    super.toString();
    use(a, p);
  },
  async shAsyncMethod(p) {
    let a = 1001;
    await super.toString();
    use(a, p);
  },
  *shGeneratorMethod(p) {
    let a = 1001;
    yield super.toString();
    use(a, p);
  },
  shMethodArrow(p) {
    let a = 1001;
    use(() => super.toString());
    let b = 1002;
    use(a, b, p);
  },
};
for (const name of Object.keys(methods)) shape(methods[name]);
class shBase {
  constructor() {
    let a = 1001;
    this.x = a;
    use(new.target);
    let b = 1002;
    use(b);
  } /*end*/
}
shape(shBase);
class shDerived extends shBase {
  constructor(p) {
    let a = 1001;
    super();
    if (p) return {};
    let b = 1002;
    for (const x of []) {
      let c = 1003;
      use(x, c);
    }
    use(a, b, p);
    if (p) return some;
    {
      let d = 1004;
      use(d);
    }
  } /*end*/
}
shape(shDerived);
class shDerivedArrow extends shBase {
  constructor(p) {
    let a = 1001;
    const go = () => super();
    go();
    let b = 1002;
    use(a, b, p);
  } /*end*/
}
shape(shDerivedArrow);
shape(function shEval(p) {
  let a = 1001;
  for (const x of []) use(x);
  eval('a');
  {
    let b = 1002;
    use(b);
  }
  use(a, p);
});
shape(function shUnicode(p) {
  let ä = '🙂 ü';
  let ö = 1001;
  use('🙂', ä, ö);
  let last = 1002;
  use(last, p);
});
shape(function shTwice(p, p2) {
  var p = 1001;
  var a = 1002;
  var a = 1003;
  let b = 1004;
  use(p, p2, a, b);
});
shape(function shHoisted() {
  use(v, f);
  if (v) {
    var v = 1001;
    let w = 1002;
    {
      var f = 1003;
      function inner() {
        return w;
      }
    }
    w = 1004;
    use(inner);
  }
});

for (const f of call) {
  for (const go of [() => f(), () => new f(), () => f().next(), () => f(1)]) {
    try {
      const result = go();
      if (result && result.catch) result.catch(use);
    } catch (_) {
      // What matters is that it was compiled.
    }
  }
}
require('fs').writeFileSync(
  process.argv[2],
  JSON.stringify({ v8: process.versions.v8, shapes })
);
