// npm's standardwebhooks: signs what it is told by lines of JSON on stdin, and posts
// it; each gets one line in answer, with its number.
//   node.mjs FOLDER_OF_THE_CLIENTS
import { createRequire } from "node:module";
import { join } from "node:path";
import { createInterface } from "node:readline";

const require = createRequire(join(process.argv[2], "package.json"));
const { Webhook } = require("standardwebhooks");

async function send({ url, secrets, id, at, body, headers }) {
  const bytes = Buffer.from(body, "base64");
  const signed = secrets.map((secret) =>
    new Webhook(secret).sign(id, new Date(at * 1000), bytes.toString()),
  );
  const answer = await fetch(url, {
    method: "POST",
    body: bytes,
    headers: {
      "content-type": "application/json",
      "webhook-id": id,
      "webhook-timestamp": String(at),
      "webhook-signature": signed.join(" "),
      ...headers,
    },
  });
  return { code: answer.status, text: await answer.text() };
}

// They go out side by side.
for await (const line of createInterface({ input: process.stdin })) {
  const { number, ...message } = JSON.parse(line);
  send(message)
    .catch((error) => ({ error: String(error?.cause ?? error) }))
    .then((answer) => console.log(JSON.stringify({ number, ...answer })));
}
