// What DevTools' own heap worker says of a snapshot, as JSON lines for the tests to compare with.
// usage: node oracle.mjs MODULES FILE [BASE]
//   MODULES  a directory whose node_modules holds chrome-devtools-frontend and esbuild
//   FILE     prints the header, the classes, and a sample of nodes (a thousand and the top hundred)
//   BASE     also prints what changed since this older snapshot
import {createRequire} from 'node:module';
import fs from 'node:fs';
import path from 'node:path';
import {pathToFileURL} from 'node:url';

const [modules, file, base] = process.argv.slice(2);
const require = createRequire(path.resolve(modules, 'x.js'));

async function loadWorker() {
  const bundle = path.resolve(modules, 'heap-worker.mjs');
  if (!fs.existsSync(bundle)) {
    const root = path.dirname(require.resolve('chrome-devtools-frontend/package.json'));
    await require('esbuild').build({
      entryPoints: [`${root}/front_end/entrypoints/heap_snapshot_worker/heap_snapshot_worker.ts`],
      bundle: true,
      format: 'esm',
      platform: 'node',
      outfile: bundle,
      logLevel: 'error',
      plugins: [{
        name: 'generated-files',
        setup(build) {
          // The package lacks what its build generates; the heap worker needs none of it.
          build.onResolve({filter: /locales\.js$/}, () => ({path: 'locales', namespace: 'stub'}));
          build.onLoad({filter: /.*/, namespace: 'stub'}, () => ({
            contents: 'export const LOCALES = [], BUNDLED_LOCALES = [], DEFAULT_LOCALE = "en-US",' +
                ' REMOTE_FETCH_PATTERN = "", LOCAL_FETCH_PATTERN = "";',
          }));
        },
      }],
    });
  }
  return import(pathToFileURL(bundle));
}

async function load(worker, name) {
  const loader = new worker.HeapSnapshotLoader.HeapSnapshotLoader({sendEvent() {}});
  for await (const chunk of fs.createReadStream(name, {encoding: 'utf8', highWaterMark: 1 << 24})) {
    loader.write(chunk);
  }
  loader.close();
  const channel = new MessageChannel();
  new worker.HeapSnapshot.SecondaryInitManager(channel.port2);
  const snapshot = await loader.buildSnapshot(channel.port1);
  channel.port1.close();
  return snapshot;
}

const print = value => process.stdout.write(JSON.stringify(value) + '\n');

function describe(snapshot, ordinal) {
  const node = snapshot.createNode(ordinal * snapshot.nodeFieldCount);
  const retainers = [];
  for (let it = node.retainers(); it.hasNext(); it.next()) {
    const edge = it.item();
    if (edge.isWeak() || edge.node().isRoot()) continue;
    retainers.push([edge.node().distance(), edge.node().ordinal(), edge.type(), edge.name()]);
  }
  retainers.sort((a, b) => a[0] - b[0]);
  return {
    node: ordinal,
    id: node.id(),
    name: node.name(),
    class: node.className(),
    distance: node.distance(),
    self: node.selfSize(),
    retained: node.retainedSize(),
    dominator: snapshot.dominatorsTree[ordinal],
    retainerCount: retainers.length,
    retainers: retainers.slice(0, 50),
  };
}

// i18n wants to say what goes on; nobody listens.
process.on('unhandledRejection', error => { throw error; });
const worker = await loadWorker();
worker.HeapSnapshot.HeapSnapshotProgress.prototype.updateStatus = () => {};
worker.HeapSnapshot.HeapSnapshotProgress.prototype.updateProgress = () => {};
console.warn = () => {};
const snapshot = await load(worker, file);
const count = snapshot.nodeCount;
print({nodes: count, total: snapshot.totalSize});
const aggregates = snapshot.getAggregatesByClassKey(false, 'allObjects');
for (const [key, value] of Object.entries(aggregates)) {
  print({class: key, count: value.count, self: value.self, retained: value.maxRet, distance: value.distance});
}
const sample = new Set();
for (let i = 0; i < 1000; i++) sample.add(Math.floor(i * count / 1000));
const top = Array.from({length: count}, (_, ordinal) => ordinal);
top.sort((a, b) => snapshot.retainedSizes[b] - snapshot.retainedSizes[a]);
for (const ordinal of top.slice(0, 100)) sample.add(ordinal);
for (const ordinal of sample) print(describe(snapshot, ordinal));
if (base) {
  const old = await load(worker, base);
  const before = old.aggregatesForDiff(snapshot.interfaceDefinitions());
  for (const [key, diff] of Object.entries(snapshot.calculateSnapshotDiff(1, before))) {
    print({
      diff: key,
      added: diff.addedCount,
      removed: diff.removedCount,
      addedSize: diff.addedSize,
      removedSize: diff.removedSize,
    });
  }
}
