// The worker that a Node shop writes for these jobs (ioredis, sharp, AWS's client), so
// many at a time:
//   image_worker.mjs FOLDER_OF_PACKAGES AT_ONCE WIDTH QUALITY EFFORT
// Its settings are the environment's, as Flatbed's.
import { createRequire } from "node:module";
import { basename, extname, join } from "node:path";

const [folder, atOnce, width, quality, effort] = process.argv.slice(2);
const require = createRequire(join(folder, "package.json"));
const Redis = require("ioredis").default ?? require("ioredis");
const sharp = require("sharp");
const { S3Client, GetObjectCommand, PutObjectCommand } = require("@aws-sdk/client-s3");
// As a server sets it up that has work for all its cores.
sharp.concurrency(1);
sharp.cache(false);

const { REDIS_URI, BACKEND_URL, R2_BUCKET: Bucket, R2_ENDPOINT, R2_PUBLIC_URL } = process.env;
const s3 = new S3Client({
  endpoint: R2_ENDPOINT,
  region: "auto",
  forcePathStyle: true,
  credentials: {
    accessKeyId: process.env.R2_ACCESS_KEY_ID,
    secretAccessKey: process.env.R2_SECRET_ACCESS_KEY,
  },
});

async function say(id, update) {
  const answer = await fetch(`${BACKEND_URL}/api/image-jobs/${id}/status`, {
    method: "PATCH",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(update),
  });
  await answer.arrayBuffer();
}

async function work() {
  const redis = new Redis(REDIS_URI);
  for (;;) {
    const [, message] = await redis.brpop("task_queue", 0);
    const id = JSON.parse(message).payload.imageJobID;
    const { data } = await (await fetch(`${BACKEND_URL}/api/image-jobs/${id}`)).json();
    await say(id, { status: "PROCESSING" });
    const source = await s3.send(new GetObjectCommand({ Bucket, Key: data.sourceImageKey }));
    const webp = await sharp(await source.Body.transformToByteArray())
      .rotate()
      .resize({ width: Number(width), height: Number(width), fit: "inside", withoutEnlargement: true })
      .webp({ quality: Number(quality), effort: Number(effort) })
      .toBuffer();
    const name = basename(data.sourceImageKey, extname(data.sourceImageKey));
    const Key = `optimized/${name}-optimized.webp`;
    await s3.send(new PutObjectCommand({ Bucket, Key, Body: webp, ContentType: "image/webp" }));
    await say(id, {
      status: "COMPLETED",
      outputImageURL: `${R2_PUBLIC_URL}/${Key}`,
      outputImageKey: Key,
    });
  }
}

for (let number = 0; number < Number(atOnce); number += 1) work();
