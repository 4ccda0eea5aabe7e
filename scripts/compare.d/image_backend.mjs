// A backend that orders images, as docs/IMAGES.md has it, its records in memory. Prints
// its address; then a line for each job that ended: its id and its status.
import { createServer } from "node:http";

const jobs = new Map();

const server = createServer(async (request, response) => {
  let body = "";
  for await (const part of request) body += part;
  const [, id] = request.url.match(/^\/api\/image-jobs\/([^/]+)/) ?? [];
  const answer = (status, data) => {
    response.writeHead(status, { "Content-Type": "application/json" });
    response.end(JSON.stringify(data));
  };
  if (request.method === "POST") {
    for (const job of JSON.parse(body)) jobs.set(job._id, job);
    answer(201, { success: true });
  } else if (!jobs.has(id)) {
    answer(404, { success: false, message: "Image job not found" });
  } else {
    const job = jobs.get(id);
    if (request.method === "PATCH") {
      Object.assign(job, JSON.parse(body));
      if (job.status !== "PROCESSING") console.log(id, job.status);
    }
    answer(200, { success: true, data: job });
  }
});
server.listen(0, "127.0.0.1", () => console.log(`http://127.0.0.1:${server.address().port}`));
