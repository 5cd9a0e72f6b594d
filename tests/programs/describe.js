'use strict';
// What V8 and Node say of a value, as plain data, without calling any getter of it.
const util = require('util');

const MOST_PROPERTIES = 200;
const types = util.types;

function bytesOf(view) {
  const bytes = Buffer.from(view.buffer, view.byteOffset, Math.min(view.byteLength, 256));
  return bytes.toString('hex');
}

function attempt(make) {
  try {
    return make();
  } catch (error) {
    return { throws: String(error && error.message) };
  }
}

function inspected(value) {
  return attempt(() => util.inspect(value, { depth: 0, breakLength: Infinity, maxArrayLength: 100, showProxy: true }));
}

// Numbers as text, so that -0, NaN and the infinities survive JSON.
function numberText(value) {
  return Object.is(value, -0) ? '-0' : String(value);
}

function primitive(value) {
  switch (typeof value) {
    case 'number':
      return { type: 'number', value: numberText(value) };
    case 'bigint':
      return { type: 'bigint', value: String(value) };
    case 'string':
      return { type: 'string', length: value.length, value };
    case 'symbol': {
      // `description` is undefined for Symbol() and '' for Symbol('').
      const { description } = value;
      return { type: 'symbol', description: description === undefined ? null : description };
    }
    default:
      return { type: value === null ? 'null' : typeof value, value: String(value) };
  }
}

function keyText(key) {
  return typeof key === 'symbol' ? key.toString() : key;
}

function constructorName(value) {
  // As V8's debugger names it: the nearest constructor up the chain that is a plain data property.
  for (let at = value; at !== null && !types.isProxy(at); at = Object.getPrototypeOf(at)) {
    const found = Object.getOwnPropertyDescriptor(at, 'constructor');
    if (found && typeof found.value === 'function' && !types.isProxy(found.value)) {
      const name = Object.getOwnPropertyDescriptor(found.value, 'name');
      if (name && typeof name.value === 'string' && name.value !== '') return name.value;
    }
  }
  return null;
}

function ownProperties(value, depth) {
  const properties = [];
  let left = MOST_PROPERTIES;
  for (const key of Reflect.ownKeys(value)) {
    const index = typeof key === 'string' && /^(0|[1-9]\d{0,9})$/.test(key);
    // Their contents are told as bytes, or as the wrapped string.
    if (index && (ArrayBuffer.isView(value) || types.isStringObject(value)) && Number(key) < value.length) continue;
    if (left-- === 0) break;
    const found = Object.getOwnPropertyDescriptor(value, key);
    if (found === undefined) continue;
    const property = {
      key: keyText(key),
      symbol: typeof key === 'symbol',
      index,
      attributes: `${found.writable ? 'w' : '-'}${found.enumerable ? 'e' : '-'}${found.configurable ? 'c' : '-'}`,
    };
    if ('value' in found) {
      property.value = describe(found.value, depth - 1);
    } else {
      property.get = found.get ? found.get.name : null;
      property.set = found.set ? found.set.name : null;
    }
    properties.push(property);
  }
  return properties;
}

// What only this kind of object has.
function particulars(value, depth) {
  const tag = {};
  const child = (one) => describe(one, depth - 1);
  if (typeof value === 'function') {
    tag.kind = 'function';
    const name = Object.getOwnPropertyDescriptor(value, 'name');
    tag.functionName = name && typeof name.value === 'string' ? name.value : null;
    tag.source = attempt(() => Function.prototype.toString.call(value));
    tag.isClass = /^class\b/.test(tag.source);
    tag.isAsync = types.isAsyncFunction(value);
    tag.isGenerator = types.isGeneratorFunction(value);
  } else if (Array.isArray(value)) {
    tag.kind = 'array';
    tag.length = value.length;
  } else if (types.isMap(value)) {
    tag.kind = 'map';
    tag.size = value.size;
    tag.entries = [...Map.prototype.entries.call(value)].slice(0, 50).map(([k, v]) => [child(k), child(v)]);
  } else if (types.isSet(value)) {
    tag.kind = 'set';
    tag.size = value.size;
    tag.members = [...Set.prototype.values.call(value)].slice(0, 50).map(child);
  } else if (types.isDate(value)) {
    tag.kind = 'date';
    tag.time = numberText(Date.prototype.getTime.call(value));
    tag.iso = Number.isNaN(Number(tag.time)) ? null : Date.prototype.toISOString.call(value);
  } else if (types.isRegExp(value)) {
    tag.kind = 'regexp';
    tag.source = value.source;
    tag.flags = value.flags;
    tag.lastIndex = numberText(value.lastIndex);
  } else if (types.isNativeError(value)) {
    tag.kind = 'error';
    tag.message = attempt(() => String(value.message));
    tag.code = attempt(() => (value.code === undefined ? null : String(value.code)));
    // Reading it would format it, and so change what is to be decoded; the program tells it where it matters.
  } else if (types.isAnyArrayBuffer(value)) {
    tag.kind = types.isSharedArrayBuffer(value) ? 'sharedarraybuffer' : 'arraybuffer';
    tag.byteLength = value.byteLength;
    if ('maxByteLength' in value) {
      tag.maxByteLength = value.maxByteLength;
      tag.resizable = tag.kind === 'arraybuffer' ? value.resizable : value.growable;
    }
    if ('detached' in value) tag.detached = value.detached;
    tag.bytes = tag.byteLength ? bytesOf(new Uint8Array(value)) : '';
  } else if (types.isDataView(value)) {
    tag.kind = 'dataview';
    tag.byteLength = attempt(() => value.byteLength);
    tag.byteOffset = attempt(() => value.byteOffset);
    tag.bytes = attempt(() => bytesOf(value));
  } else if (ArrayBuffer.isView(value)) {
    tag.kind = 'typedarray';
    tag.arrayType = attempt(() => value[Symbol.toStringTag]);
    tag.length = value.length;
    tag.byteLength = value.byteLength;
    tag.byteOffset = value.byteOffset;
    tag.isBuffer = Buffer.isBuffer(value);
    tag.bytes = tag.byteLength ? bytesOf(value) : '';
    tag.elements = Array.prototype.slice.call(value, 0, 32).map((one) => (typeof one === 'bigint' ? String(one) : numberText(one)));
  } else if (types.isPromise(value)) {
    tag.kind = 'promise';
    const text = util.inspect(value, { depth: 0 });
    tag.state = /<pending>/.test(text) ? 'pending' : /<rejected>/.test(text) ? 'rejected' : 'fulfilled';
  } else if (types.isBoxedPrimitive(value)) {
    tag.kind = 'boxed';
    tag.primitive = primitive(attempt(() => value.valueOf()));
  } else if (types.isArgumentsObject(value)) {
    tag.kind = 'arguments';
    tag.length = value.length;
  } else if (types.isGeneratorObject(value)) {
    tag.kind = 'generator';
  } else if (types.isWeakMap(value)) {
    tag.kind = 'weakmap';
  } else if (types.isWeakSet(value)) {
    tag.kind = 'weakset';
  } else if (types.isModuleNamespaceObject(value)) {
    tag.kind = 'namespace';
  } else if (types.isMapIterator(value)) {
    tag.kind = 'mapiterator';
  } else if (types.isSetIterator(value)) {
    tag.kind = 'setiterator';
  } else if (types.isExternal(value)) {
    tag.kind = 'external';
  } else {
    tag.kind = 'object';
  }
  return tag;
}

// `depth`: how many levels of children are told; 0 tells the value's own kind and name only.
function describe(value, depth) {
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null) return primitive(value);
  if (types.isProxy(value)) return { type: 'object', kind: 'proxy', inspect: inspected(value) };
  const said = { type: typeof value, constructorName: attempt(() => constructorName(value)) };
  if (value === globalThis) said.global = true;
  if (depth < 0) return said;
  Object.assign(said, attempt(() => particulars(value, depth)));
  if (depth === 0) return said;
  said.inspect = inspected(value);
  said.extensible = Object.isExtensible(value);
  const prototype = Object.getPrototypeOf(value);
  said.prototype = prototype === null ? null : attempt(() => constructorName(prototype));
  said.properties = attempt(() => ownProperties(value, depth));
  return said;
}

// What the debugger says of `globalThis[name][key]` for each key: class name, text, own and internal properties,
// and for a function where it is defined and the variables it sees.
function debuggerSays(name, keys) {
  let inspector;
  try {
    inspector = require('inspector');
  } catch (_) {
    return {};
  }
  const session = new inspector.Session();
  session.connect();
  const post = (method, params) => {
    let answer;
    session.post(method, params, (error, result) => {
      answer = error ? { error: error.message } : result;
    });
    return answer || { error: 'no answer' };
  };
  const brief = (remote) => {
    if (!remote) return null;
    const told = { type: remote.type };
    for (const field of ['subtype', 'className', 'description', 'unserializableValue', 'value']) {
      if (remote[field] !== undefined && typeof remote[field] !== 'object') told[field] = remote[field];
    }
    return told;
  };
  const childrenOf = (objectId) => post('Runtime.getProperties', { objectId, ownProperties: true });
  const all = {};
  const said = (key) => {
    const { result, error } = post('Runtime.evaluate', { expression: `${name}[${JSON.stringify(key)}]`, objectGroup: 'truth' });
    if (!result) return { error };
    const told = brief(result);
    if (!result.objectId) return told;
    const { internalProperties, privateProperties } = childrenOf(result.objectId);
    told.internal = {};
    for (const property of internalProperties || []) {
      const { value } = property;
      if (property.name === '[[FunctionLocation]]') {
        told.location = { line: value.value.lineNumber + 1, column: value.value.columnNumber + 1 };
      } else if (property.name === '[[Scopes]]') {
        told.scopes = [];
        for (const scope of childrenOf(value.objectId).result || []) {
          if (!/^\d+$/.test(scope.name) || /^(Global|Script)/.test(scope.value.description)) continue;
          const variables = {};
          for (const one of childrenOf(scope.value.objectId).result || []) variables[one.name] = brief(one.value);
          told.scopes.push({ scope: scope.value.description, variables });
        }
      } else if (property.name === '[[Entries]]') {
        told.internal[property.name] = (childrenOf(value.objectId).result || [])
          .filter((one) => /^\d+$/.test(one.name))
          .slice(0, 50)
          .map((one) => brief(one.value));
      } else if (property.name !== '[[Prototype]]') {
        told.internal[property.name] = brief(value);
      }
    }
    if (privateProperties) told.private = privateProperties.map((one) => ({ name: one.name, value: brief(one.value) }));
    return told;
  };
  for (const key of keys) all[key] = said(key);
  post('Runtime.releaseObjectGroup', { objectGroup: 'truth' });
  session.disconnect();
  return all;
}

module.exports = { describe, debuggerSays };
