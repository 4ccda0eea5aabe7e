// Photos to WebP by sharp, so many at a time:
//   sharp.mjs FOLDER_OF_SHARP WIDTH QUALITY EFFORT AT_ONCE OUT FILE...
import { createRequire } from "node:module";
import { basename, extname, join } from "node:path";

const [folder, width, quality, effort, atOnce, out, ...files] = process.argv.slice(2);
const sharp = createRequire(join(folder, "package.json"))("sharp");
// As a server sets it up that has work for all its cores.
sharp.concurrency(1);
sharp.cache(false);

async function work() {
  for (let file = files.pop(); file; file = files.pop()) {
    await sharp(file)
      .rotate()
      .resize({ width: Number(width), withoutEnlargement: true })
      .webp({ quality: Number(quality), effort: Number(effort) })
      .toFile(join(out, `${basename(file, extname(file))}.webp`));
  }
}

await Promise.all(Array.from({ length: Number(atOnce) }, work));
