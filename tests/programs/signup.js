'use strict';
// A signup server with a mistake in it. It gets some good signups and one bad one, all from itself, and dies
// of the bad one: run it with --abort-on-uncaught-exception for a core.
// It keeps every visit, too, which is its other mistake.
const http = require('http');

const visits = [];

class Visit {
  constructor(id, request) {
    this.visit_id = id;
    this.path = request.url;
    this.headers = request.headers;
    this.at = new Date();
  }
}

class Signup {
  constructor(visit, user, plan) {
    this.visit = visit;
    this.user = user;
    this.plan = plan;
  }

  greeting() {
    return welcome(this.user, this.plan);
  }
}

function welcome(user, plan) {
  const first = user.name.first;
  return `Welcome to ${plan}, ${first}!`;
}

function save(visit, form, done) {
  const signup = new Signup(visit, form.user, form.plan || 'free');
  done(signup.greeting());
}

function onForm(visit, body, response) {
  const form = JSON.parse(body);
  save(visit, form, function onSaved(greeting) {
    response.end(greeting);
  });
}

const server = http.createServer(function onRequest(request, response) {
  const visit = new Visit(visits.length + 1, request);
  visits.push(visit);
  let body = '';
  request.setEncoding('utf8');
  request.on('data', function onData(chunk) {
    body += chunk;
  });
  request.on('end', function onEnd() {
    if (request.url === '/signup') onForm(visit, body, response);
    else response.end('hello');
  });
});

// What it is asked, one after another: many looks, two good signups, and the bad one.
const looks = 1000;
const forms = [
  { user: { name: { first: 'Ada', last: 'Lovelace' }, email: 'ada@mail.example' }, plan: 'gold' },
  { user: { name: { first: 'Grace', last: 'Hopper' }, email: 'grace@mail.example' } },
  { user: { nmae: { first: 'Alan', last: 'Turing' }, email: 'alan@mail.example' }, plan: 'silver' },
];

const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });

function ask(port, step) {
  const form = step < looks ? null : forms[step - looks];
  if (step === looks + 2) {
    process.stdout.write(
      JSON.stringify({
        program: 'signup',
        node: process.version,
        visits: visits.length + 1,
        bad: form,
        frames: ['welcome', 'Signup.greeting', 'save', 'onForm', 'IncomingMessage.onEnd'],
        missing: 'first',
      }) + '\n'
    );
  }
  const request = http.request(
    { agent, port, host: '127.0.0.1', method: form ? 'POST' : 'GET', path: form ? '/signup' : `/look/${step}` },
    function onResponse(response) {
      response.resume();
      response.on('end', () => ask(port, step + 1));
    }
  );
  request.end(form ? JSON.stringify(form) : undefined);
}

server.listen(0, '127.0.0.1', () => ask(server.address().port, 0));
