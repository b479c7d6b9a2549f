// A product's picture: seen large, replaced by a file or from an address, or taken away.
import { Intent, multipart, post, request } from '../api.js';
import { h, fill, webUrl } from '../dom.js';
import { bytes } from '../format.js';
import { button, card, dialog, field, picture, toast } from '../ui.js';

const LIMIT = 10 * 1024 * 1024;
const TYPES = 'image/jpeg,image/png,image/webp,image/gif';

const refuse = (name, message) => Object.assign(new Error(message), { errors: [{ field: name, message }] });

// The server takes whichever of the two is filled; the product's version guards both.
async function send(path, etag, intent, file, address) {
  if (!file) {
    if (!webUrl(address)) throw refuse('url', 'Choose a file, or enter a full address that begins with https://.');
    return post(path, { url: address }, intent, address, { 'If-Match': etag });
  }
  if (file.size > LIMIT) throw refuse('file', `${bytes(file.size)} is more than 10 MB.`);
  const mark = `${file.name}|${file.size}|${file.lastModified}`;
  return post(path, multipart(intent.key(path + mark), file, {}), intent, mark, { 'If-Match': etag });
}

export function pictureCard(product, etag, changed) {
  const path = `/api/products/${encodeURIComponent(product.id)}/image`;
  const has = Boolean(product.images);

  function replace() {
    const intent = new Intent();
    const file = h('input', { type: 'file', accept: TYPES });
    const address = h('input', { type: 'text', inputmode: 'url', placeholder: 'https://', autocomplete: 'off' });
    const preview = h('div', { class: 'preview' });
    file.addEventListener('change', async () => {
      fill(preview);
      const [chosen] = file.files;
      if (!chosen) return;
      // Drawn onto a canvas: the policy lets no page load a blob as a picture.
      try {
        const bitmap = await createImageBitmap(chosen, { resizeWidth: 320, resizeQuality: 'medium' });
        const canvas = h('canvas', { width: bitmap.width, height: bitmap.height, role: 'img', 'aria-label': `Preview of ${chosen.name}` });
        canvas.getContext('2d').drawImage(bitmap, 0, 0);
        fill(preview, canvas);
      } catch {
        fill(preview, h('p', { class: 'hint' }, 'This browser cannot show the file.'));
      }
    });
    dialog({
      title: has ? 'Replace the picture' : 'Add a picture', confirm: has ? 'Replace' : 'Add',
      body: [
        field('file', 'File', file, 'JPEG, PNG, WebP or GIF, up to 10 MB. It is stored without its metadata.'), preview,
        field('url', 'Or an address to fetch it from', address),
      ],
      act: async () => {
        const answer = await send(path, etag, intent, file.files[0], address.value.trim());
        toast('The picture is stored.');
        changed(answer);
      },
    });
  }

  const remove = () => dialog({
    title: 'Remove the picture?', confirm: 'Remove', tone: 'danger solid',
    body: [h('p', {}, 'The product is shown with its initials until it has another picture.')],
    act: async () => {
      const answer = await request('DELETE', path, { headers: { 'If-Match': etag } });
      toast('The picture is removed.');
      changed(answer);
    },
  });

  return card('Picture', h('div', { class: 'stack' },
    has ? h('div', { class: 'large-picture' }, picture(product, '480')) : h('p', { class: 'muted' }, 'There is none yet: lists show the initials.'),
    h('div', { class: 'actions' },
      button(has ? 'Replace' : 'Add a picture', { kind: 'small', glyph: 'image', onclick: replace }),
      has && button('Remove', { kind: 'small danger', glyph: 'trash', onclick: remove }))));
}
