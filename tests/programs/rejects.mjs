// Dies of a rejection that its evaluation awaits.
await null;
await Promise.reject(new URIError('in a module'));
