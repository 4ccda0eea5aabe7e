// Jobs that do nothing through npm's bullmq worker:
//   queue.mjs FOLDER_OF_THE_CLIENTS REDIS_URL JOBS AT_ONCE
// Prints {"rate": jobs a second, "cpu": microseconds of CPU a job}.
import { createRequire } from "node:module";
import { join } from "node:path";

const [folder, url, jobs, atOnce] = process.argv.slice(2);
const { Queue, Worker } = createRequire(join(folder, "package.json"))("bullmq");
const { hostname: host, port } = new URL(url);
const connection = { host, port: Number(port), maxRetriesPerRequest: null };
const name = `compare-${process.pid}`;
const queue = new Queue(name, { connection });
const count = Number(jobs);
for (let added = 0; added < count; added += 1000) {
  const size = Math.min(1000, count - added);
  await queue.addBulk(Array.from({ length: size }, () => ({ name: "export", data: {} })));
}

let left = count;
let finished;
const all = new Promise((resolve) => (finished = resolve));
// As Flatbed remembers 1,000 of them.
const worker = new Worker(name, async () => null, {
  connection,
  concurrency: Number(atOnce),
  removeOnComplete: { count: 1000 },
  autorun: false,
});
worker.on("completed", () => {
  left -= 1;
  if (left === 0) finished();
});
await worker.waitUntilReady();
const cpu = process.cpuUsage();
const begun = process.hrtime.bigint();
worker.run();
await all;
const took = Number(process.hrtime.bigint() - begun) / 1e9;
const { user, system } = process.cpuUsage(cpu);
console.log(JSON.stringify({ rate: count / took, cpu: (user + system) / count }));
await worker.close();
await queue.obliterate({ force: true });
process.exit(0);
