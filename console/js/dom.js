// Elements are only ever built here: text becomes a text node, so data can never turn into markup.
const SVG = 'http://www.w3.org/2000/svg';

function build(element, props, children) {
  let value;
  for (const [key, given] of Object.entries(props ?? {})) {
    if (given === undefined || given === null || given === false) continue;
    if (key.startsWith('on')) element.addEventListener(key.slice(2), given);
    else if (key === 'vars') {
      // A style attribute would be refused by the content security policy; the CSSOM is not.
      for (const [name, setting] of Object.entries(given)) element.style.setProperty(name, setting);
    } else if (key === 'value') value = given;
    else element.setAttribute(key, given === true ? '' : given);
  }
  add(element, children);
  // A select knows its options only now.
  if (value !== undefined) element.value = value;
  return element;
}

function add(element, children) {
  for (const child of children.flat(Infinity)) {
    if (child === undefined || child === null || child === false || child === '') continue;
    element.append(child);
  }
}

export function h(tag, props, ...children) {
  return build(document.createElement(tag), props, children);
}

export function s(tag, props, ...children) {
  return build(document.createElementNS(SVG, tag), props, children);
}

export function fill(element, ...children) {
  element.replaceChildren();
  add(element, children);
  return element;
}

let serial = 0;
export function uid(prefix = 'id') {
  serial += 1;
  return `${prefix}-${serial}`;
}

// Uploaded rows decide what a link says; only web addresses may become one.
export function webUrl(text) {
  try {
    const url = new URL(text);
    return url.protocol === 'https:' || url.protocol === 'http:' ? url : null;
  } catch {
    return null;
  }
}
