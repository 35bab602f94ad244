// A proxy before a collector that is often busy: node flaky.mjs COLLECTOR prints its address and runs until it is killed.
// Of every client and path the first two requests with events are answered 503 with Retry-After, and do not reach the collector.
import http from 'node:http';

const collector = new URL(process.argv[2]);
const seen = new Map();
/** What clients ask before they send, and beacons, which no browser sends again. */
const asks = /\/settings$|sourceConfig|\/config$|\/flags\/|^\/beacon\//;
const proxy = http.createServer((request, response) => {
  const path = new URL(request.url, collector).pathname;
  const key = `${request.headers['user-agent']} ${path}`;
  const count = (seen.get(key) ?? 0) + 1;
  if (request.method !== 'OPTIONS' && !asks.test(path)) {
    seen.set(key, count);
    if (count <= 2) {
      const origin = request.headers.origin;
      const cors = origin ? { 'access-control-allow-origin': origin, 'access-control-allow-credentials': 'true', 'access-control-expose-headers': 'Retry-After', vary: 'Origin' } : {};
      request.resume().on('end', () => response.writeHead(503, { 'retry-after': '1', 'content-type': 'text/plain', ...cors }).end('busy; come back in 1 seconds'));
      return;
    }
  }
  const on = http.request({ host: collector.hostname, port: collector.port, method: request.method, path: request.url, headers: request.headers }, (answer) => {
    response.writeHead(answer.statusCode, answer.rawHeaders);
    answer.pipe(response);
  });
  on.on('error', () => response.destroy());
  request.pipe(on);
});
proxy.listen(0, '127.0.0.1', () => console.log(`http://127.0.0.1:${proxy.address().port}`));
