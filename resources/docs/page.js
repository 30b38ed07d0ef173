'use strict';
// Shows the API document of this server. Everything is made of text nodes: nothing in the document is ever read as HTML.
(() => {
  const make = (tag, attributes = {}, ...children) => {
    const node = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes))
      if (name === 'onclick') node.addEventListener('click', value);
      else if (value !== undefined) node.setAttribute(name, value);
    node.append(...children.flat().filter((child) => child !== undefined && child !== null));
    return node;
  };
  // `words` in backquotes are code.
  const prose = (text) => (text ?? '').split('`').map((part, i) => (i % 2 ? make('code', {}, part) : part));
  const api = { document: null };
  const follow = (node) => {
    while (node && node.$ref) node = node.$ref.slice(2).split('/').reduce((at, name) => at[name.replace(/~1/g, '/').replace(/~0/g, '~')], api.document);
    return node ?? {};
  };
  const nameOf = (node) => (node.$ref ? node.$ref.split('/').pop() : undefined);

  function typeOf(schema) {
    const name = nameOf(schema);
    const full = follow(schema);
    if (full.oneOf || full.anyOf) return (full.oneOf ?? full.anyOf).map(typeOf).join(' or ');
    if (full.const !== undefined) return JSON.stringify(full.const);
    const type = Array.isArray(full.type) ? full.type.join(' or ') : full.type ?? (full.contentMediaType ? 'bytes' : 'any');
    if (type === 'array') return `list of ${typeOf(full.items ?? {})}`;
    return name ?? (full.format ? `${type}, ${full.format}` : type);
  }
  function bounds(schema) {
    const full = follow(schema);
    const said = [];
    if (full.enum) said.push(full.enum.join(' · '));
    if (full.minimum !== undefined || full.maximum !== undefined) said.push(`${full.minimum ?? '…'} to ${full.maximum ?? '…'}`);
    if (full.minLength !== undefined || full.maxLength !== undefined) said.push(`${full.minLength ?? 0} to ${full.maxLength ?? '…'} characters`);
    if (full.minItems !== undefined || full.maxItems !== undefined) said.push(`${full.minItems ?? 0} to ${full.maxItems ?? '…'} entries`);
    const places = /^\^-\?\[0-9\]\+\(\\\.\[0-9\]\{1,(\d+)\}\)\?\$$/.exec(full.pattern ?? '');
    if (places) said.push(`decimal, at most ${places[1]} places`);
    else if (full.pattern) said.push(full.pattern);
    const fallback = schema.default ?? full.default;
    if (fallback !== undefined && typeof fallback !== 'object' && fallback !== '') said.push(`default ${JSON.stringify(fallback)}`);
    return said;
  }
  const meaning = (schema, more) => [
    ...prose(more ?? schema.description ?? (schema.$ref ? undefined : follow(schema).description)),
    ...bounds(schema).map((text) => make('small', {}, text)),
  ];

  // The fields of a model, those of its models indented under them.
  function fieldRows(schema, isAnswer, depth = 0, seen = []) {
    const full = follow(schema);
    if (full.type === 'array' || full.items) return fieldRows(full.items ?? {}, isAnswer, depth, seen);
    const parts = full.allOf ?? (full.anyOf || full.oneOf ? (full.anyOf ?? full.oneOf).slice(0, 1) : undefined);
    if (parts) return parts.flatMap((part) => fieldRows(part, isAnswer, depth, seen));
    const name = nameOf(schema);
    if (name && seen.includes(name)) return [];
    return Object.entries(full.properties ?? {}).flatMap(([field, its]) => [
      make('tr', {},
        make('td', { class: `deep${Math.min(depth, 4)}` }, make('code', {}, field), note(isAnswer, (full.required ?? []).includes(field))),
        make('td', {}, typeOf(its)),
        make('td', {}, meaning(its))),
      ...(depth < 4 ? fieldRows(its, isAnswer, depth + 1, name ? [...seen, name] : seen) : []),
    ]);
  }
  // What is worth saying: that a request needs a field, that an answer may lack one.
  function note(isAnswer, isRequired) {
    if (isRequired === isAnswer) return null;
    return make('span', { class: isRequired ? 'need' : 'may' }, isRequired ? 'required' : 'optional');
  }
  function fieldTable(schema, isAnswer, heads = ['Field', 'Type', 'Meaning']) {
    const rows = fieldRows(schema, isAnswer);
    return rows.length ? make('table', {}, make('tr', {}, heads.map((text) => make('th', {}, text))), rows) : null;
  }

  async function copy(text, button) {
    try {
      await navigator.clipboard.writeText(text);
    } catch { // without TLS there is no clipboard but this one
      const area = make('textarea', {}, text);
      document.body.append(area);
      area.select();
      document.execCommand('copy');
      area.remove();
    }
    button.textContent = 'Copied';
    setTimeout(() => { button.textContent = 'Copy'; }, 1500);
  }
  const textBox = (text) => {
    const button = make('button', { type: 'button', onclick: () => copy(text, button) }, 'Copy');
    return make('div', { class: 'box' }, make('pre', { tabindex: '0' }, text), button);
  };
  const pretty = (value) => JSON.stringify(value, null, 2);

  const exampleOf = (schema) => { const full = follow(schema); return (schema.examples ?? full.examples ?? [full.enum?.[0] ?? full.default ?? (full.format === 'uuid' ? '7f0c1b1e-0d5c-4c8e-9a57-3f6f0c2b7a11' : 'text')])[0]; };
  function curlOf({ method, path, op }) {
    const quote = (text) => `'${String(text).replace(/'/g, "'\\''")}'`;
    const parameters = op.parameters ?? [];
    const filled = path.replace(/\{([^}]+)\}/g, (_, name) => encodeURIComponent(exampleOf(parameters.find((one) => one.name === name).schema)));
    const lines = [`curl ${method === 'GET' ? '' : `-X ${method} `}${quote(location.origin + filled)}`];
    if (op.security.some((one) => one.accessToken)) lines.push('-H "Authorization: Bearer $TOKEN"');
    for (const one of parameters) if (one.in === 'header' && (one.required || one.name === 'If-Match')) lines.push(`-H ${quote(`${one.name}: ${exampleOf(one.schema)}`)}`);
    if (op.requestBody) {
      const [type, body] = Object.entries(op.requestBody.content)[0];
      lines.push(`-H ${quote(`Content-Type: ${type}`)}`);
      lines.push(body.example !== undefined ? `-d ${quote(JSON.stringify(body.example))}` : '--data-binary @FILE');
    }
    return lines.join(' \\\n  ');
  }

  function parametersOf(op) {
    if (!op.parameters?.length) return [];
    const rows = op.parameters.map((one) => make('tr', {},
      make('td', {}, make('code', {}, one.name), one.required ? make('span', { class: 'need' }, 'required') : null),
      make('td', {}, `${one.in}: ${typeOf(one.schema)}`),
      make('td', {}, meaning(one.schema, one.description ?? ''))));
    return [make('h3', {}, 'Parameters'), make('table', {}, make('tr', {}, ['Name', 'Where and type', 'Meaning'].map((text) => make('th', {}, text))), rows)];
  }
  function bodyOf(op) {
    if (!op.requestBody) return [];
    const [type, body] = Object.entries(op.requestBody.content)[0];
    const types = Object.keys(op.requestBody.content).join(', ');
    return [make('h3', {}, 'Body'), make('p', { class: 'words' }, make('code', {}, types), op.requestBody.required ? '' : ', may be missing'),
      fieldTable(body.schema, false), body.example !== undefined && type === 'application/json' ? textBox(pretty(body.example)) : null];
  }
  function answerOf(status, reference) {
    const answer = follow(reference);
    const more = make('div', { class: 'more' });
    const fill = () => {
      if (more.childElementCount) return;
      const headers = Object.entries(answer.headers ?? {}).map(([name, header]) => make('tr', {}, make('td', {}, make('code', {}, name)), make('td', {}, follow(header).required ? 'always' : 'where it applies'), make('td', {}, follow(header).description)));
      for (const [type, body] of Object.entries(answer.content ?? {})) {
        const shape = body.schema.contentSchema ?? body.schema;
        more.append(make('h3', {}, type), ...[status < 400 ? fieldTable(shape, true) : null, body.example !== undefined ? textBox(pretty(body.example)) : null].filter(Boolean));
      }
      if (headers.length) more.append(make('h3', {}, 'Headers'), make('table', {}, headers));
    };
    const kind = status >= 400 ? 'bad' : status >= 300 ? 'moved' : '';
    const node = make('details', { class: 'answer' }, make('summary', {}, make('span', { class: `status ${kind}` }, status), make('span', { class: 'words' }, prose(answer.description))), more);
    node.addEventListener('toggle', fill);
    if (status < 300) { node.open = true; fill(); }
    return node;
  }

  function detail(one) {
    const chips = [...(one.op['x-roles'] ?? []), ...(one.op.security.length === 0 ? ['open to everybody'] : [])];
    return make('div', { class: 'inside' },
      make('p', {}, prose(one.op.description)),
      chips.length ? make('div', { class: 'chips' }, chips.map((text) => make('span', { class: 'chip' }, text))) : null,
      make('h3', {}, 'Call'), textBox(curlOf(one)),
      parametersOf(one.op), bodyOf(one.op),
      make('h3', {}, 'Answers'), Object.entries(one.op.responses).map(([status, answer]) => answerOf(status, answer)));
  }
  const pathText = (path) => path.split(/(\{[^}]+\})/).map((part) => (part.startsWith('{') ? make('i', {}, part) : part));

  function operations() {
    const order = ['get', 'post', 'put', 'patch', 'delete'];
    const all = [];
    for (const [path, item] of Object.entries(api.document.paths))
      for (const method of order.filter((name) => item[name])) all.push({ method: method.toUpperCase(), path, op: item[method], tag: item[method].tags[0], id: item[method].operationId });
    return all;
  }
  // What a search looks through: path, words, fields of the body and the answers, codes.
  function haystack(one) {
    const words = [one.method, one.path, one.op.summary, one.op.description, one.tag];
    const fields = (schema, depth = 0) => { const full = follow(schema); if (depth > 4) return; for (const [name, its] of Object.entries(full.properties ?? {})) { words.push(name); fields(its, depth + 1); } if (full.items) fields(full.items, depth + 1); };
    for (const parameter of one.op.parameters ?? []) words.push(parameter.name);
    for (const body of Object.values(one.op.requestBody?.content ?? {})) fields(body.schema);
    for (const [status, answer] of Object.entries(one.op.responses)) { words.push(status, follow(answer).description); if (status < 300) for (const body of Object.values(follow(answer).content ?? {})) fields(body.schema); }
    return words.join(' ').toLowerCase();
  }

  function show() {
    const main = document.getElementById('main');
    const list = document.getElementById('list');
    const all = operations();
    const info = api.document.info;
    document.title = `${info.title}: API`;
    document.querySelector('nav h1').textContent = info.title;
    main.replaceChildren(make('div', { class: 'intro' }, make('h1', {}, `${info.title}: API`), make('p', {}, prose(info.description)),
      make('p', {}, 'The machine-readable form is ', make('a', { href: '/api/v1/openapi.json' }, '/api/v1/openapi.json'), ` (OpenAPI ${api.document.openapi}). In the calls below, $TOKEN is the access token of POST /api/v1/auth/login.`)));
    for (const tag of api.document.tags) {
      const mine = all.filter((one) => one.tag === tag.name);
      const section = make('section', { class: 'tag' }, make('h2', {}, tag.name), make('p', {}, tag.description));
      const group = make('div', {}, make('h2', {}, tag.name));
      for (const one of mine) {
        const button = make('button', { type: 'button', 'aria-expanded': 'false' }, make('span', { class: `method ${one.method.toLowerCase()}` }, one.method), make('span', { class: 'path' }, pathText(one.path)), make('span', { class: 'summary' }, one.op.summary));
        one.article = make('article', { id: one.id }, button);
        one.link = make('a', { href: `#${one.id}` }, make('span', { class: `method ${one.method.toLowerCase()}` }, one.method), make('span', { title: one.path }, one.op.summary));
        one.open = (wanted) => {
          if (wanted && !one.inside) one.article.append(one.inside = detail(one));
          if (one.inside) one.inside.hidden = !wanted;
          button.setAttribute('aria-expanded', wanted);
        };
        button.addEventListener('click', () => one.open(button.getAttribute('aria-expanded') !== 'true'));
        one.text = haystack(one);
        section.append(one.article);
        group.append(one.link);
      }
      for (const one of mine) Object.assign(one, { section, group });
      main.append(section);
      list.append(group);
    }
    return all;
  }

  function search(all, text) {
    const words = text.toLowerCase().split(/\s+/).filter(Boolean);
    const hit = all.filter((one) => words.every((word) => one.text.includes(word)));
    for (const one of all) one.article.hidden = one.link.hidden = !hit.includes(one);
    for (const one of all) one.section.hidden = one.group.hidden = !all.some((other) => other.section === one.section && hit.includes(other));
    document.getElementById('found').textContent = words.length ? `${hit.length} of ${all.length} routes` : `${all.length} routes`;
  }
  function goTo(all) {
    const here = all.find((one) => one.id === decodeURIComponent(location.hash.slice(1)));
    for (const one of all) one.link.classList.toggle('here', one === here);
    if (!here) return;
    here.open(true);
    here.article.scrollIntoView();
  }

  async function begin() {
    const answer = await fetch('/api/v1/openapi.json');
    if (!answer.ok) throw new Error(`${answer.status}`);
    api.document = await answer.json();
    const all = show();
    const box = document.getElementById('search');
    box.addEventListener('input', () => search(all, box.value));
    addEventListener('hashchange', () => goTo(all));
    addEventListener('keydown', (event) => {
      if (event.key === '/' && document.activeElement !== box) { event.preventDefault(); box.focus(); }
      if (event.key === 'Escape' && document.activeElement === box) { box.value = ''; search(all, ''); }
    });
    search(all, '');
    goTo(all);
  }
  begin().catch((error) => document.getElementById('main').append(make('p', {}, `The document cannot be read (${error.message}).`)));
})();
