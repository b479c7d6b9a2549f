// Crawls as they go on: one socket for a screen, opened by a ticket, and again whenever it is lost.
import { request, wait } from './api.js';

const FIRST_PAUSE = 1000;
const LONGEST_PAUSE = 30000;

async function open(signal, said) {
  const { data } = await request('POST', '/api/admin/ticket', { body: { for: 'crawler' }, signal });
  // The ticket goes as a sub-protocol: an address would be kept by logs.
  const socket = new WebSocket(data.url, ['shopple.crawler', data.ticket]);
  const leave = () => socket.close();
  signal.addEventListener('abort', leave, { once: true });
  const closed = new Promise((resolve) => { socket.addEventListener('close', resolve, { once: true }); });
  socket.addEventListener('open', () => {
    socket.send(JSON.stringify({ subscribe: 'all' }));
    said.linked(true);
  });
  socket.addEventListener('message', (event) => said.state(JSON.parse(event.data)));
  let opened = false;
  socket.addEventListener('open', () => { opened = true; });
  await closed;
  signal.removeEventListener('abort', leave);
  return opened;
}

// `state` gets each status object, `linked` whether news come by themselves, and `lost` is called
// before each new attempt, so that the screen can ask for itself meanwhile.
export async function follow(signal, said) {
  let pause = FIRST_PAUSE;
  while (!signal.aborted) {
    try {
      if (await open(signal, said)) pause = FIRST_PAUSE;
    } catch (error) {
      if (error.name === 'AbortError' || error.status === 401) return;
    }
    if (signal.aborted) return;
    said.linked(false);
    try {
      await wait(pause, signal);
    } catch {
      return;
    }
    pause = Math.min(pause * 2, LONGEST_PAUSE);
    said.lost();
  }
}
