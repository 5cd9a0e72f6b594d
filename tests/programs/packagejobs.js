'use strict';
// What packages of the npm registry do in packages.js: each makes a function that does it once, some milliseconds
// of it. `need` requires a package, `tick` is for what calls back from within, `directory` is where they are.
const fs = require('fs');
const path = require('path');
const http = require('http');

const jobs = module.exports = {};
const text = (directory, file) => fs.readFileSync(path.join(directory, 'node_modules', file), 'utf8');
const list = (count, make) => Array.from({ length: count }, (_, i) => make(i));
const people = list(60, (i) => ({ id: i, name: `Name ${i}`, age: (i * 37) % 90, tags: ['a', 'b' + (i % 7)], at: { city: 'C' + (i % 5) } }));

jobs.typescript = (need, tick, directory) => {
  const ts = need('typescript');
  const source = `interface A<T> { x: T; y?: number } class B<T extends A<string>> { constructor(private a: T) {}
    get v(): string { return this.a.x } async *each(n: number) { for (let i = 0; i < n; i++) yield await this.a } }
    export const f = <T,>(b: T[]) => b.map((x, i) => ({ ...x, [i]: x?.toString() ?? 'none' })); enum E { A, B = 'b' as any }
    namespace N { export function g(...a: number[]): number { return a.reduce((x, y) => x + y) } } let z: keyof A<1> = 'x'; z = 5;`;
  const host = {
    getSourceFile: (file) => file === 'a.ts' ? ts.createSourceFile(file, source, 1, true) : undefined,
    getDefaultLibFileName: () => 'lib.d.ts', writeFile() {}, getCurrentDirectory: () => '/', getCanonicalFileName: (f) => f,
    useCaseSensitiveFileNames: () => true, getNewLine: () => '\n', fileExists: (f) => f === 'a.ts', readFile: () => undefined,
  };
  return () => {
    const program = ts.createProgram(['a.ts'], { noLib: true, target: 1, strict: true, noResolve: true }, host);
    ts.getPreEmitDiagnostics(program);
    program.emit();
    ts.transpileModule(source, { compilerOptions: { target: 1, sourceMap: true } });
  };
};
jobs.prettier = (need, tick, directory) => {
  const prettier = need('prettier');
  const source = text(directory, 'express/lib/utils.js').slice(0, 4000).replace(/\/\*[^]*?(\*\/|$)/g, '');
  return () => {
    try { prettier.format(source, { parser: 'babel' }); } catch (_) { /* cut off in its middle */ }
    prettier.format('const a={b:[1,2,{c:d=>e(d)}],f(){return `x${g}`}};class H{static i=1;async*j(){await k}}', { parser: 'babel' });
    prettier.format('a{b:c;d:e(f)}@media(x){g>h{i:j}}', { parser: 'css' });
    prettier.format('# a\n* b\n  1. c\n```js\nx\n```', { parser: 'markdown' });
  };
};
jobs.babel = (need) => {
  const babel = need('@babel/core');
  const source = `class A extends B { #p = 1; static s = () => 2; get g() { return this.#p ?? super.g } async m(...a) { for await (const x of a) yield_(x) } }
    const { a, ...b } = c, [d = 5, , ...e] = f; label: for (const g of h) { try { continue label } finally { i\`\${j}\` } } function* k() { const l = yield* m; return l ** 2 }`;
  const presets = [[need.resolve('@babel/preset-env'), { targets: 'ie 11' }]];
  return () => babel.transformSync(source, { presets, configFile: false, babelrc: false, sourceMaps: true });
};
jobs.terser = (need, tick, directory) => {
  const { minify } = need('terser');
  const source = text(directory, 'express/lib/utils.js');
  return () => minify(source, { toplevel: true, compress: { passes: 2 } });
};
jobs['uglify-js'] = (need, tick, directory) => {
  const { minify } = need('uglify-js');
  const source = text(directory, 'express/lib/utils.js');
  return () => minify(source, { toplevel: true });
};
jobs.eslint = (need, tick, directory) => {
  const { Linter } = need('eslint');
  const linter = new Linter();
  const rules = {};
  for (const [rule] of linter.getRules()) rules[rule] = 1;
  const source = text(directory, 'express/lib/utils.js').slice(0, 2500).replace(/\/\*[^]*?(\*\/|$)/g, '') + '}';
  return () => linter.verify('class A { m(a, b) { if (a == b) { var c = a + "x" + b } else return; switch (c) { case 1: default: } } }\n' + source,
    { rules, parserOptions: { ecmaVersion: 2021 } });
};
jobs.rollup = (need) => {
  const { rollup } = need('rollup');
  const files = { a: 'import { b, c as d } from "b"; export default b(d); export * from "c";', b: 'export const b = (x) => x; export let c = 1; console.log(c)', c: 'export class D { m() {} } export const unused = 5' };
  return async () => {
    const plugin = { name: 'memory', resolveId: (id) => id, load: (id) => files[id], transform: (code) => ({ code, map: null }) };
    const bundle = await rollup({ input: 'a', plugins: [plugin], treeshake: true, onwarn() {} });
    await bundle.generate({ format: 'cjs', sourcemap: true, exports: 'named' });
  };
};
jobs.acorn = (need, tick, directory) => {
  const acorn = need('acorn');
  const source = text(directory, 'bluebird/js/release/promise.js');
  return () => acorn.parse(source, { ecmaVersion: 2020, locations: true, onToken() { tick(); } });
};
jobs.esprima = (need, tick, directory) => {
  const esprima = need('esprima');
  const source = text(directory, 'bluebird/js/release/promise.js');
  return () => esprima.parseScript(source, { loc: true, comment: true }, (node) => { tick(); return node; });
};
jobs.lodash = (need, tick) => {
  const _ = need('lodash');
  const compiled = _.template('<% _.forEach(people, function(p) { %><li><%- p.name %></li><% }); %>');
  return () => {
    _(people).filter((p) => p.age > 20).map((p) => ({ ...p, age: p.age + 1 })).groupBy('at.city').mapValues((v) => _.sumBy(v, 'age')).value();
    _.cloneDeepWith(people, (v) => { tick(); });
    _.merge({}, ...people.slice(0, 9));
    _.isEqualWith(people, _.cloneDeep(people), () => { tick(); });
    _.debounce(() => tick(), 1000).cancel();
    _.memoize((x) => { tick(); return x; })(1);
    _.flow([(x) => x + 1, (x) => { tick(); return x; }])(1);
    _.curry((a, b, c) => { tick(); return a + b + c; })(1)(2)(3);
    compiled({ people });
    _.orderBy(people, ['at.city', (p) => { tick(); return p.age; }], ['asc', 'desc']);
  };
};
jobs.rxjs = (need, tick) => {
  const { range, from, of, merge, Subject, asyncScheduler } = need('rxjs');
  const { map, filter, mergeMap, scan, take, concatMap, groupBy, toArray, switchMap, share, catchError, observeOn } = need('rxjs/operators');
  return async () => {
    range(1, 200).pipe(filter((x) => x % 2 === 0), map((x) => { tick(); return x * 2; }), mergeMap((x) => of(x, x + 1)), scan((a, b) => a + b, 0),
      groupBy((x) => x % 3), mergeMap((g) => g.pipe(toArray())), concatMap((x) => from(x)), take(150), share(), catchError(() => of(0))).subscribe(() => tick());
    const subject = new Subject();
    subject.pipe(switchMap((x) => merge(of(x), from([x])))).subscribe(() => { tick(); });
    for (let i = 0; i < 30; i++) subject.next(i);
    await new Promise((done) => from(people.slice(0, 5)).pipe(observeOn(asyncScheduler)).subscribe({ next: () => tick(), complete: done }));
  };
};
jobs.immutable = (need, tick) => {
  const { Map, List, fromJS, Record, Set, Range } = need('immutable');
  const R = Record({ a: 1, b: 2 });
  return () => {
    let m = Map();
    for (let i = 0; i < 300; i++) m = m.set('k' + i, i).update('k' + (i >> 1), (x) => { tick(); return x; });
    fromJS(people).groupBy((p) => p.getIn(['at', 'city'])).map((l) => l.sortBy((p) => { tick(); return -p.get('age'); })).toJS();
    List(Range(0, 300)).withMutations((l) => l.push(1)).filter((x) => x & 1).reduce((a, b) => a + b);
    Set(people).union(Set([1, 2, new R({ a: 2 })])).hashCode();
    m.equals(m.remove('k1'));
  };
};
jobs.handlebars = (need, tick) => {
  const Handlebars = need('handlebars');
  const source = '{{#each people}}{{#if age}}<b>{{up name}}</b>{{else}}-{{/if}}{{#with at}}{{city}}{{/with}}{{> part}}{{/each}}';
  Handlebars.registerHelper('up', (s) => { tick(); return s.toUpperCase(); });
  Handlebars.registerPartial('part', '{{#each tags}}{{this}},{{/each}}');
  const template = Handlebars.compile(source);
  return () => { template({ people }); Handlebars.compile(source)({ people: people.slice(0, 3) }); };
};
jobs.ejs = (need, tick) => {
  const ejs = need('ejs');
  const source = '<% people.forEach(function(p) { %><li><%= up(p.name) %> <%- p.at.city %></li><% }) %>';
  const up = (s) => { tick(); return s.toUpperCase(); };
  const template = ejs.compile(source);
  return () => { template({ people, up }); ejs.render(source, { people: people.slice(0, 5), up }); };
};
jobs.pug = (need, tick) => {
  const pug = need('pug');
  const source = 'mixin item(p)\n  li(class=p.age > 20 ? "old" : "young")= up(p.name)\nul\n  each p in people\n    +item(p)\n    if p.age\n      b #{p.at.city}\n';
  const up = (s) => { tick(); return s.toUpperCase(); };
  const template = pug.compile(source);
  return () => { template({ people, up }); pug.render(source, { people: people.slice(0, 2), up }); };
};
jobs.react = (need, tick) => {
  const React = need('react');
  const { renderToString, renderToStaticMarkup } = need('react-dom/server');
  const h = React.createElement;
  const Context = React.createContext(0);
  class Row extends React.Component { render() { tick(); return h('tr', { style: { color: 'red', top: 5 } }, h('td', null, this.props.p.name), h(Cell, this.props.p)); } }
  const Cell = React.memo(function Cell({ age, tags }) { const c = React.useContext(Context); const [s] = React.useState(() => { tick(); return age; }); React.useMemo(() => c, [c]); return h(React.Fragment, null, tags.map((t) => h('i', { key: t }, t, s))); });
  const App = () => h(Context.Provider, { value: 5 }, h('table', null, h('tbody', null, people.map((p) => h(Row, { key: p.id, p })))));
  return () => { renderToString(h(App)); renderToStaticMarkup(h(App)); };
};
jobs.vue = (need, tick) => {
  const Vue = need('vue');
  const { createRenderer } = need('vue-server-renderer');
  const renderer = createRenderer();
  const row = { props: ['p'], computed: { old() { tick(); return this.p.age > 20; } }, template: '<li :class="{ old: old }" @click="x">{{ p.name | up }}<slot/></li>', filters: { up: (s) => { tick(); return s.toUpperCase(); } } };
  return () => {
    const app = new Vue({ components: { row }, data: { people }, watch: { people() {} }, template: '<ul><row v-for="p in people" :key="p.id" :p="p"><b v-if="p.age">{{ p.at.city }}</b></row></ul>' });
    return renderer.renderToString(app);
  };
};

// A server that answers requests over a socket.
function serve(handler, paths) {
  const server = http.createServer(handler);
  const agent = new http.Agent({ keepAlive: true });
  return new Promise((ready) => server.listen(0, '127.0.0.1', () => {
    const get = (path, body) => new Promise((done, fail) => {
      const request = http.request({ port: server.address().port, host: '127.0.0.1', path, agent, method: body ? 'POST' : 'GET', headers: body ? { 'content-type': 'application/json', 'content-length': body.length } : {} },
        (answer) => { answer.on('data', () => {}); answer.on('end', done); });
      request.on('error', fail);
      request.end(body);
    });
    ready(() => Promise.all(paths.map(([path, body]) => get(path, body))));
  }));
}
const paths = [['/', ''], ['/users/5?a=b&c[]=1', ''], ['/post', JSON.stringify({ a: people.slice(0, 5) })], ['/none', ''], ['/fail', '']];
jobs.express = (need, tick) => {
  const express = need('express');
  const app = express();
  app.set('env', 'test');
  app.use(express.json());
  app.use((request, response, next) => { tick(); next(); });
  app.get('/', (request, response) => { tick(); response.send('<p>hello</p>'); });
  const router = express.Router();
  router.param('id', (request, response, next, id) => { tick(); next(); });
  router.get('/:id', async (request, response) => { await null; tick(); response.json({ id: request.params.id, query: request.query }); });
  app.use('/users', router);
  app.post('/post', (request, response) => { tick(); response.status(201).json(request.body); });
  app.get('/fail', () => { tick(); throw new Error('failed'); });
  app.use((error, request, response, next) => { tick(); response.status(500).end(); });
  return serve(app, paths);
};
jobs.koa = (need, tick) => {
  const Koa = need('koa');
  const app = new Koa();
  app.silent = true;
  app.use(async (context, next) => { const start = Date.now(); await next(); tick(); context.set('x-time', String(Date.now() - start)); });
  app.use(async (context, next) => { try { await next(); } catch (error) { tick(); context.status = 500; } });
  app.use(async (context) => {
    if (context.path === '/fail') context.throw(500);
    tick();
    await new Promise(setImmediate);
    tick();
    context.body = { query: context.query, people: people.slice(0, 5) };
  });
  return serve(app.callback(), paths);
};
jobs.fastify = async (need, tick) => {
  const fastify = need('fastify')();
  fastify.addHook('onRequest', async () => { tick(); });
  fastify.addHook('preSerialization', async (request, reply, payload) => { tick(); return payload; });
  const schema = { response: { 200: { type: 'object', properties: { id: { type: 'string' }, people: { type: 'array', items: { type: 'object', properties: { name: { type: 'string' }, age: { type: 'number' } } } } } } } };
  fastify.get('/users/:id', { schema }, async (request) => { await null; tick(); return { id: request.params.id, people }; });
  fastify.post('/post', (request, reply) => { tick(); reply.send({ body: request.body }); });
  await fastify.ready();
  return async () => {
    await fastify.inject('/users/7');
    await fastify.inject({ method: 'POST', url: '/post', payload: { a: people.slice(0, 4) } });
    await fastify.inject('/none');
  };
};
jobs.pino = (need, tick) => {
  const pino = need('pino');
  const log = pino({ serializers: { person: (p) => { tick(); return p.name; } }, redact: ['at.city'], mixin: () => { tick(); return { m: 1 }; } }, { write() { tick(); } });
  return () => { const child = log.child({ a: 1 }); for (const person of people) child.info({ person, at: person.at, e: new TypeError('x') }, 'hello %s %d', person.name, 5); };
};
jobs.ajv = (need, tick) => {
  const Ajv = need('ajv');
  const schema = { type: 'array', items: { type: 'object', required: ['id', 'name'], properties: { id: { type: 'integer', minimum: 0 }, name: { type: 'string', pattern: '^N', mine: true }, tags: { type: 'array', uniqueItems: true, items: { type: 'string' } }, at: { $ref: '#/definitions/at' } }, additionalProperties: true } , definitions: { at: { type: 'object', properties: { city: { enum: ['C1', 'C2', 'C3'] } } } } };
  const make = () => { const ajv = new Ajv({ allErrors: true, strict: false }); ajv.addKeyword({ keyword: 'mine', validate: (a, b) => { tick(); return b.length > 1; } }); return ajv.compile(schema); };
  const validate = make();
  return () => { for (let i = 0; i < 5; i++) validate(people); make()(people); };
};
jobs.zod = (need, tick) => {
  const { z } = need('zod');
  const schema = z.array(z.object({ id: z.number().int(), name: z.string().min(1).transform((s) => { tick(); return s.trim(); }), age: z.number().refine((a) => { tick(); return a < 80; }), tags: z.array(z.union([z.literal('a'), z.string()])), at: z.object({ city: z.string() }).strict(), extra: z.optional(z.date()) }));
  return async () => { schema.safeParse(people); await schema.spa(people.slice(0, 9)); };
};
jobs.moment = (need, tick) => {
  const moment = need('moment');
  return () => { for (const p of people) { const m = moment.utc(1e12 + p.age * 1e8).add(p.age, 'days'); m.format('dddd, MMMM Do YYYY, h:mm:ss a'); m.startOf('week').fromNow(); moment('2013-02-08 09:30:26.123', 'YYYY-MM-DD HH:mm:ss.SSS').diff(m, 'hours'); tick(); } };
};
jobs['date-fns'] = (need, tick) => {
  const f = need('date-fns');
  return () => { for (const p of people) { const d = f.addDays(new Date(2020, 1, 1), p.age); f.format(d, "do 'of' MMMM yyyy, HH:mm:ss.SSS XXX"); f.parse('02/11/2014', 'MM/dd/yyyy', new Date()); f.eachDayOfInterval({ start: d, end: f.addWeeks(d, 2) }).map((x) => { tick(); return f.getISOWeek(x); }); f.formatDistance(d, new Date()); } };
};
jobs.bluebird = (need, tick) => {
  const P = need('bluebird');
  P.config({ longStackTraces: false });
  return () => P.map(people, (p) => P.resolve(p).then((x) => { tick(); return x.age; }), { concurrency: 7 })
    .reduce((a, b) => { tick(); return a + b; }, 0).tap(() => tick()).then(P.coroutine(function* (x) { const y = yield P.delay(1, x); tick(); return y; }))
    .then(() => { throw new RangeError('x'); }).catch(RangeError, () => tick()).finally(() => tick());
};
jobs.async = (need, tick) => {
  const async = need('async');
  return async_work;
  function async_work() {
    return new Promise((done, fail) => async.auto({
      a: (next) => async.mapLimit(people, 5, (p, back) => setImmediate(() => { tick(); back(null, p.age); }), next),
      b: ['a', (r, next) => async.eachSeries(r.a.slice(0, 9), (x, back) => { tick(); process.nextTick(back); }, next)],
      c: ['a', async (r) => { await null; tick(); return r.a.length; }],
      d: ['b', 'c', (r, next) => async.waterfall([(n) => n(null, 1), (x, n) => { tick(); n(null, x + 1); }], next)],
    }, (error, r) => error ? fail(error) : done(r)));
  }
};
jobs.sass = (need) => {
  const sass = need('sass');
  const data = '$c: red; @mixin m($x...) { a: $x; } @function f($n) { @if $n < 2 { @return $n } @return f($n - 1) + f($n - 2) } @each $k, $v in (a: 1, b: 2) { .#{$k} { @include m($v, 2px); &:hover > p { color: darken($c, 10%); width: f(7) * 1px; @media (x) { b: c } } } } %p { x: y } .z { @extend %p; w: call(get-function("lighten"), $c, 20%); }';
  return () => sass.renderSync({ data, sourceMap: true, outFile: 'x.css' });
};
jobs.less = (need, tick) => {
  const less = need('less');
  return () => less.render('@c: #f00; .m(@a; @b: 2) when (@a > 1) { w: (@a * @b) } .x { .m(3); &:extend(.y); color: darken(@c, 10%); .z { @r: { a: b }; @r(); } } .loop(@i) when (@i > 0) { .w-@{i} { width: ~`${1}` } .loop(@i - 1) } .loop(9);'.replace(/~`.*?`/, '(@i * 1px)'), { sourceMap: {} });
};
jobs.marked = (need, tick, directory) => {
  const { marked } = need('marked');
  marked.use({ walkTokens() { tick(); }, renderer: { codespan(code) { tick(); return `<c>${code}</c>`; } }, mangle: false, headerIds: false });
  const source = text(directory, 'async/README.md') + text(directory, 'marked/README.md') + text(directory, 'express/Readme.md');
  return () => marked.parse(source);
};
jobs['highlight.js'] = (need, tick, directory) => {
  const highlight = need('highlight.js');
  const source = text(directory, 'express/lib/utils.js').slice(0, 3000);
  return () => { highlight.highlight(source, { language: 'javascript' }); highlight.highlight('def f(x):\n  return "a" + x # c', { language: 'python' }); highlight.highlightAuto('<a b="c">{d}</a>', ['xml', 'css', 'json']); };
};
jobs.jsdom = (need, tick) => {
  const { JSDOM } = need('jsdom');
  return () => {
    const { document, Event, close } = new JSDOM('<!doctype html><body><div id=a class="b c"><p>x<p>y</div><style>p { color: red }</style>').window;
    const div = document.getElementById('a');
    div.addEventListener('mine', (event) => { tick(); event.stopPropagation(); }, true);
    for (let i = 0; i < 10; i++) { const e = document.createElement('span'); e.textContent = 'n' + i; e.setAttribute('data-i', i); div.appendChild(e); e.dispatchEvent(new Event('mine', { bubbles: true })); }
    document.querySelectorAll('div.b > p:first-child, span[data-i="5"]').forEach((e) => { tick(); e.remove(); });
    div.innerHTML = '<ul><li>1<li>2</ul>';
    document.documentElement.outerHTML.length;
  };
};
jobs.cheerio = (need, tick, directory) => {
  const cheerio = need('cheerio');
  const source = '<ul>' + people.map((p) => `<li class="a${p.age % 5}" data-x=${p.id}><b>${p.name}</b>&amp;</li>`).join('') + '</ul>';
  return () => { const $ = cheerio.load(source); $('li.a3 > b, li:nth-child(2n)').map((i, e) => { tick(); return $(e).text(); }).get(); $('li').filter((i) => i % 2).addClass('even').each((i, e) => { tick(); $(e).attr('i', String(i)); }); $.html(); };
};
function sql(file) {
  return async (need, tick, directory) => {
    const initialize = need(`sql.js/dist/${file}`);
    const SQL = await initialize({ locateFile: (f) => path.join(directory, 'node_modules/sql.js/dist', f) });
    const database = new SQL.Database();
    database.run('create table t (id int, name text, age int)');
    database.create_function('js', (x, y) => { tick(); return x + (y || 0); });
    for (const p of people) database.run('insert into t values (?, ?, ?)', [p.id, p.name, p.age]);
    return () => { database.exec('select js(age, id), count(*), sum(age) from t where js(id, 1) > 3 group by age % 7 order by js(age, 0)'); database.each('select * from t where age > $a', { $a: 50 }, () => tick(), () => tick()); };
  };
}
jobs['sql.js'] = sql('sql-wasm.js');
jobs['sql.js-asm'] = sql('sql-asm.js');
jobs.mathjs = (need, tick) => {
  const { create, all } = need('mathjs');
  const math = create(all);
  math.import({ mine: (x) => { tick(); return x + 1; } });
  const code = math.compile('sin(x)^2 + mine(cos(x)) + det([1, 2; x, 4]) + sum(map([1, 2, 3], f(y) = y * x))');
  return () => { for (let x = 0; x < 20; x++) code.evaluate({ x }); math.simplify('2 * x + 3 * x - x ^ 2 / x').toString(); math.derivative('x^3 * sin(x)', 'x'); math.evaluate('5 cm + 2 inch to m'); math.multiply(math.matrix([[1, 2], [3, 4]]), math.bignumber(2)); };
};
jobs.three = (need, tick) => {
  const THREE = need('three');
  const scene = new THREE.Scene();
  for (let i = 0; i < 40; i++) { const mesh = new THREE.Mesh(new THREE.SphereGeometry(1, 8, 6), new THREE.MeshBasicMaterial()); mesh.position.set(i % 7, i % 5, i % 3); mesh.rotation.set(i, 1, 2); scene.add(mesh); }
  const camera = new THREE.PerspectiveCamera(70, 1, 0.1, 100);
  camera.position.z = 20;
  return (round) => { scene.rotation.y = round / 10; scene.updateMatrixWorld(true); camera.updateMatrixWorld(); const ray = new THREE.Raycaster(); ray.setFromCamera(new THREE.Vector2(0.05, 0.05), camera); ray.intersectObjects(scene.children, true); scene.traverse(() => tick()); new THREE.TorusKnotGeometry(1, 0.4, 24, 6).computeVertexNormals(); new THREE.CatmullRomCurve3([new THREE.Vector3(), new THREE.Vector3(1, 2, 3), new THREE.Vector3(3, 1, 1)]).getPoints(30); };
};
jobs.protobufjs = (need, tick) => {
  const protobuf = need('protobufjs');
  const { root } = protobuf.parse('syntax = "proto3"; message At { string city = 1; } message P { int32 id = 1; string name = 2; sint64 age = 3; repeated string tags = 4; At at = 5; map<string, double> m = 6; oneof o { bool x = 7; bytes y = 8; } }');
  const P = root.lookupType('P');
  return () => { for (const p of people) { const bytes = P.encode(P.fromObject({ ...p, m: { a: 1.5 }, x: true })).finish(); P.toObject(P.decode(bytes), { longs: String, defaults: true }); P.verify(p); tick(); } protobuf.parse('syntax = "proto3"; package a.b; service S { rpc R (X) returns (stream X); } message X { enum E { A = 0; } E e = 1 [deprecated = true]; }'); };
};
jobs.xml2js = (need, tick) => {
  const { Parser, Builder } = need('xml2js');
  const source = '<a x="1">' + people.map((p) => `<p id="${p.id}"><![CDATA[${p.name}]]><at>${p.at.city}</at></p>`).join('') + '</a>';
  return async () => { const parsed = await new Parser({ tagNameProcessors: [(n) => { tick(); return n.toUpperCase(); }], attrValueProcessors: [(v) => { tick(); return v; }] }).parseStringPromise(source); new Builder().buildObject(parsed); };
};
jobs['core-js'] = (need, tick) => {
  const usePolyfill = ['Promise', 'Map', 'Set', 'WeakMap', 'Symbol', 'Array.from', 'String.prototype.replace', 'RegExp'];
  need('core-js/configurator')({ usePolyfill });
  for (const name of ['promise', 'map', 'set', 'array', 'string', 'iterator', 'regexp', 'json', 'url']) { try { need(`core-js/${name === 'iterator' ? 'actual/iterator' : name === 'url' ? 'web/url' : `es/${name}`}`); } catch (_) { /* not there */ } }
  return async () => {
    const m = new Map(people.map((p) => [p.id, p])); const s = new Set();
    m.forEach((p) => { tick(); s.add(p.at); });
    for (const p of people) await0(p);
    'a-b-c'.replace(/-(.)/g, (all, c) => { tick(); return c.toUpperCase(); });
    await Promise.all(people.map((p) => Promise.resolve(p).then((x) => { tick(); return x.age; })));
    const url = new URL('http://a.b/c?d=e#f'); url.searchParams.forEach(() => tick()); url.searchParams.append('g', 'h'); String(url);
    Array.from(m.values(), (x) => { tick(); return x; }).flatMap((x) => x.tags).at(-1);
  };
  function await0(p) { return [p].concat([1]).find((x) => x === 1); }
};

// Code that compilers made of what older engines lack.
const modern = `
class Base { constructor(n) { this.n = n } get double() { tick(); return this.n * 2 } static make(n) { return new this(n) } *[Symbol.iterator]() { for (let i = 0; i < this.n; i++) yield i } async sum() { let s = 0; for (const x of this) { s += await x; tick() } return s } }
class Derived extends Base { constructor(n, ...rest) { super(n); this.rest = rest; this.f = () => super.double + rest.length } get double() { return super.double + 1 } async *each() { for (let i = 0; i < 3; i++) { tick(); yield this.rest[i] } } #hidden(x) { tick(); return x } reveal(x) { return this.#hidden(x) } }
module.exports = async function work() {
  const d = new Derived(5, 'a', 'b', 'c');
  const closures = [];
  for (let i = 0; i < 4; i++) { const { n, ...others } = { n: i, x: 1, y: 2 }; closures.push((z = n) => { tick(); return others.x + z + i }) }
  closures.forEach((f) => f());
  outer: for (const [a, b = 7] of [[1], [2, 3]]) { try { if (a === 2) continue outer; tick() } finally { closures.length } }
  d.f(); d.reveal(1); Derived.make(2).double; [...d, ...d.rest].map((x) => \`\${x}!\`);
  const total = await d.sum(); for await (const x of d.each()) tick();
  return (await Promise.all([1, 2].map(async (x) => { await null; tick(); return x ** total }))).length
};`;
function compiled(make) {
  return (need, tick, directory) => {
    const file = path.join(directory, 'node_modules', `.compiled-${process.pid}.js`);
    fs.writeFileSync(file, make(need));
    globalThis.tick = tick;
    const work = need(file);
    process.on('exit', () => fs.unlinkSync(file));
    return async () => { for (let i = 0; i < 20; i++) await work(); };
  };
}
jobs.regenerator = compiled((need) => 'require("regenerator-runtime/runtime");\n' + need('@babel/core').transformSync(modern, {
  presets: [[need.resolve('@babel/preset-env'), { targets: 'ie 11' }]], configFile: false, babelrc: false }).code);
jobs['regenerator-minified'] = compiled((need) => 'require("regenerator-runtime/runtime");\n' + need('uglify-js').minify(need('@babel/core').transformSync(modern, {
  presets: [[need.resolve('@babel/preset-env'), { targets: 'ie 11' }]], configFile: false, babelrc: false }).code, { mangle: true, toplevel: true }).code);
jobs['typescript-es5'] = compiled((need) => need('typescript').transpileModule(modern.replace(/#hidden/g, 'hidden'), { compilerOptions: { target: 1, downlevelIteration: true, importHelpers: true } }).outputText);
jobs['typescript-es2017'] = compiled((need) => need('typescript').transpileModule(modern, { compilerOptions: { target: 4 } }).outputText);
jobs.coffeescript = (need, tick) => {
  const coffee = need('coffeescript');
  globalThis.tick = tick;
  const source = 'class A\n  constructor: (@x, ...@y) ->\n  sum: => (v + @x for v in @y when v > 1)\n  @make: (a...) -> tick(); new A a...\nmodule.exports = -> \n  a = A.make 1, 2, 3\n  [first, ..., last] = a.sum()\n  r = switch\n    when first? then tick()\n    else last\n  try a.none?.b catch e then e\n  for own k, v of a then do (k) -> tick(); "#{k}"\n';
  const module_ = { exports: {} };
  Function('module', coffee.compile(source, { bare: true }))(module_);
  return () => { for (let i = 0; i < 30; i++) module_.exports(); coffee.compile(source, { sourceMap: true }); };
};
