// node example.mjs [URL [KEY]]: one viewer's evening. It runs as a test.
import { Upnext, UpnextError } from "./upnext.js";

const [, , url, key] = process.argv;
const upnext = new Upnext({ url, key });

// An item is searchable once it is in.
await upnext.putItemsId({ path: { id: "js-1" }, body: { id: "js-1", kind: "video", title: "A space film from JavaScript", tags: ["space"] } });

// A page, with titles to show and reasons to show under them.
const page = await upnext.postRecommend({ body: { user_id: "js", count: 3, include: ["title"] } });
for (const { id, properties, reasons } of page.items) console.log(id, properties?.title, "·", reasons?.[0].text);

// What the viewer does changes the next answer: send the item's token with it.
const { id, token } = page.items[0];
await upnext.postEvents({ body: { id: `js-${Date.now()}`, kind: "like", at: new Date().toISOString(), user_id: "js", item_id: id, token } });

// Reading on never repeats an item.
const more = await upnext.postRecommendNext({ body: { cursor: page.next_cursor ?? "" } });
if (more.items.some((it) => page.items.some((before) => before.id === it.id))) throw new Error("an item came twice");

// Rows that suit the viewer, one call.
const { rows } = await upnext.postPages({ body: { user_id: "js", count: 4 } });
console.log(rows.map((row) => row.title).join(" | "));

// What is wrong is said, and where.
try {
  await upnext.postRecommend({ body: { user_id: "js", filter: "title ==" } });
} catch (err) {
  if (!(err instanceof UpnextError)) throw err;
  console.log(err.status, err.problem.errors?.[0].pointer);
}

await upnext.deleteItemsId({ path: { id: "js-1" } });
await upnext.deleteUsersId({ path: { id: "js" } });
console.log("done");
