// npm's bullmq and bull-board at one queue, told by lines of JSON on stdin what
// to do; each gets one line in answer.
//   node.mjs FOLDER_OF_THE_CLIENTS NAME_OF_BULLMQ REDIS_URL QUEUE
import { createRequire } from "node:module";
import { join } from "node:path";
import { createInterface } from "node:readline";

const [folder, client, url, name] = process.argv.slice(2);
const require = createRequire(join(folder, "package.json"));
const { Queue, QueueEvents, Worker } = require(client);
const { createBullBoard } = require("@bull-board/api");
const { BullMQAdapter } = require("@bull-board/api/bullMQAdapter");

const { hostname: host, port } = new URL(url);
// As operators are told to: a worker waits for its Redis for ever.
const connection = { host, port: Number(port), maxRetriesPerRequest: null };
const queue = new Queue(name, { connection });
const events = new QueueEvents(name, { connection, lastEventId: "0-0" });
const heard = [];
for (const kind of ["active", "completed", "delayed", "failed", "progress", "stalled", "waiting"]) {
  events.on(kind, (event) => heard.push({ kind, ...event }));
}
for (const source of [queue, events]) source.on("error", () => {});

// bull-board as a web server would mount it, without the web server.
let routes, boardQueues;
const mount = {
  setApiRoutes: (all) => ((routes = all), mount),
  setQueues: (all) => ((boardQueues = all), mount),
};
for (const rest of ["ViewsPath", "StaticPath", "EntryRoute", "ErrorHandler", "UIConfig"]) {
  mount[`set${rest}`] = () => mount;
}
createBullBoard({
  queues: [new BullMQAdapter(queue)],
  serverAdapter: mount,
  options: { validateResponses: true, uiBasePath: folder },
});

let worker;
let releaseHeld;
const held = new Promise((resolve) => (releaseHeld = resolve));

const orders = {
  add: async ({ data, options }) => ({ id: (await queue.add("export", data, options)).id }),
  // The result, as a producer waits for it.
  wait: async ({ id }) => {
    const job = await queue.getJob(id);
    try {
      return { returned: await job.waitUntilFinished(events, 60_000) };
    } catch (error) {
      return { threw: error.message };
    }
  },
  job: async ({ id }) => {
    const job = await queue.getJob(id);
    return job ? { ...job.toJSON(), state: await job.getState() } : { state: "unknown" };
  },
  counts: async () => queue.getJobCounts(),
  heard: async ({ id }) => ({ heard: heard.filter((event) => event.jobId === id) }),
  pause: async () => ({ done: await queue.pause() }),
  resume: async () => ({ done: await queue.resume() }),
  // A worker; jobs say with their data what becomes of them.
  work: async ({ options }) => {
    worker = new Worker(
      name,
      async (job) => {
        await job.updateProgress({ percent: 50, currentOperation: "node" });
        if (job.data.hold) await held;
        if (job.data.fail && job.attemptsMade < job.data.fail) throw new Error("not yet");
        return { by: "node", n: job.data.n };
      },
      { connection, ...options },
    );
    worker.on("error", () => {});
    await worker.waitUntilReady();
    return {};
  },
  stop: async () => {
    releaseHeld();
    await worker.close();
    return {};
  },
  board: async ({ method, route, params = {}, query = {}, body = {} }) => {
    const found = routes.find((one) => one.method === method && one.route === route);
    const request = { queues: boardQueues, params: { queueName: name, ...params }, query, body };
    const { status = 200, body: answer } = await found.handler({ headers: {}, ...request });
    return { status, body: answer };
  },
};

await events.waitUntilReady();
for await (const line of createInterface({ input: process.stdin })) {
  const { order, ...rest } = JSON.parse(line);
  try {
    console.log(JSON.stringify((await orders[order](rest)) ?? null));
  } catch (error) {
    console.log(JSON.stringify({ error: String(error?.stack ?? error) }));
  }
}
process.exit(0);
