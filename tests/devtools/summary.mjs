// Opens a heap snapshot in the DevTools of a headless Chromium and prints what its Summary view shows, a JSON line
// a class: name, how many, shallow and retained size. With PICTURE also a screenshot (.png) of the panel.
// usage: node summary.mjs CHROMIUM FILE [PICTURE]     (Node 22 or later)
import {spawn} from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';

const [chromium, file, picture] = process.argv.slice(2);
const profile = fs.mkdtempSync(path.join(os.tmpdir(), 'v8rs-chromium-'));
const browser = spawn(chromium, [
  '--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
  '--disable-background-networking', '--disable-component-update', '--disable-sync', '--disable-dev-shm-usage',
  '--remote-debugging-port=0', '--remote-allow-origins=*', `--user-data-dir=${profile}`, 'about:blank',
], {stdio: ['ignore', 'ignore', 'pipe'], detached: true});

function end(code) {
  try {
    process.kill(-browser.pid, 'SIGKILL');
  } catch {
    // It is gone.
  }
  fs.rmSync(profile, {recursive: true, force: true, maxRetries: 5});
  process.exit(code);
}
process.stdout.on('error', () => end(1));
setTimeout(() => {
  console.error('DevTools did not show the file in time');
  end(1);
}, 120_000);

const address = await new Promise((resolve, reject) => {
  let said = '';
  browser.stderr.on('data', chunk => {
    said += chunk;
    const found = /DevTools listening on ws:\/\/([^/]+)\//.exec(said);
    if (found) resolve(found[1]);
  });
  browser.on('exit', () => reject(new Error(`the browser ended: ${said}`)));
});

// A page's messages: send(method, parameters) gives the result.
async function connect(url) {
  const socket = new WebSocket(url);
  await new Promise((resolve, reject) => {
    socket.onopen = resolve;
    socket.onerror = reject;
  });
  const waiting = new Map();
  let last = 0;
  socket.onmessage = ({data}) => {
    const {id, result, error} = JSON.parse(data);
    const [resolve, reject] = waiting.get(id) ?? [];
    waiting.delete(id);
    if (error) reject?.(new Error(error.message));
    else resolve?.(result);
  };
  return (method, params = {}) => new Promise((resolve, reject) => {
    waiting.set(++last, [resolve, reject]);
    socket.send(JSON.stringify({id: last, method, params}));
  });
}

try {
  const pages = await (await fetch(`http://${address}/json/list`)).json();
  const page = pages.find(p => p.url === 'about:blank');
  const frontend = 'devtools://devtools/bundled/devtools_app.html' +
      `?ws=${address}/devtools/page/${page.id}&panel=heap_profiler`;
  const opened = await (await fetch(`http://${address}/json/new?${frontend}`, {method: 'PUT'})).json();
  const send = await connect(opened.webSocketDebuggerUrl);
  const evaluate = async (expression, byValue = true) => {
    const {result, exceptionDetails} =
        await send('Runtime.evaluate', {expression, awaitPromise: true, returnByValue: byValue});
    if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
    return byValue ? result.value : result.objectId;
  };
  await send('Page.enable');
  await send('Emulation.setDeviceMetricsOverride', {width: 1280, height: 560, deviceScaleFactor: 1, mobile: false});
  const pause = time => new Promise(resolve => setTimeout(resolve, time));
  // Until its scripts are there.
  for (;;) {
    if (await evaluate('document.readyState === "complete" && !!document.querySelector(".root-view")')) break;
    await pause(200);
  }
  await evaluate(`(async () => {
    const UI = await import('./ui/legacy/legacy.js');
    await UI.ViewManager.ViewManager.instance().showView('heap-profiler');
    globalThis.input = document.createElement('input');
    input.type = 'file';
    document.body.append(input);
  })()`);
  const input = await evaluate('input', false);
  await send('DOM.setFileInputFiles', {files: [path.resolve(file)], objectId: input});
  await evaluate(`(async () => {
    const Profiler = await import('./panels/profiler/profiler.js');
    const panel = Profiler.HeapProfilerPanel.HeapProfilerPanel.instance();
    const file = input.files[0];
    input.remove();
    await panel.loadFromFile(file);
  })()`);
  // The file is in the list at the left: it is clicked.
  const title = path.basename(file).replace(/\.heapsnapshot$/, '');
  const [x, y] = await evaluate(`(() => {
    let found = null;
    const walk = node => {
      for (const item of node.querySelectorAll?.('[role=treeitem]') ?? []) {
        if (item.innerText.includes(${JSON.stringify(title)})) found = item;
      }
      for (const element of node.querySelectorAll?.('*') ?? []) {
        if (element.shadowRoot) walk(element.shadowRoot);
      }
    };
    walk(document);
    const box = found.getBoundingClientRect();
    return [box.x + box.width / 2, box.y + box.height / 2];
  })()`);
  for (const type of ['mousePressed', 'mouseReleased']) {
    await send('Input.dispatchMouseEvent', {type, x, y, button: 'left', buttons: 1, clickCount: 1});
  }
  // Rows of the table, wherever in the shadow trees it is.
  const rows = `(() => {
    const found = [];
    const walk = node => {
      for (const row of node.querySelectorAll?.('tr.data-grid-data-grid-node') ?? []) {
        const cells = [...row.querySelectorAll('td')].map(cell => cell.innerText.trim());
        found.push(cells);
      }
      for (const element of node.querySelectorAll?.('*') ?? []) {
        if (element.shadowRoot) walk(element.shadowRoot);
      }
    };
    walk(document);
    return found;
  })()`;
  let shown = [];
  while (shown.filter(cells => /×/.test(cells[0])).length < 3) {
    await pause(300);
    shown = await evaluate(rows);
  }
  await pause(500);
  shown = await evaluate(rows);
  const number = text => Number((text ?? '').split(/\n|\t/)[0].replace(/[^0-9]/g, ''));
  for (const cells of shown) {
    const found = /^(.*?)\s*×\s*([0-9.,\s]+)/s.exec(cells[0]);
    if (!found) continue;
    process.stdout.write(JSON.stringify({
      name: found[1].trim(),
      count: number(found[2]),
      cells: cells.slice(1),
    }) + '\n');
  }
  if (picture) {
    const {data} = await send('Page.captureScreenshot', {format: 'png'});
    fs.writeFileSync(picture, Buffer.from(data, 'base64'));
  }
  end(0);
} catch (error) {
  console.error(error);
  end(1);
}
