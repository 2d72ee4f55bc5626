/** The demo page: `/` is the main window, `/?device=...` one more device of the same person. */

import { setDefaultClient } from "../src/elements/index.ts";
import "./desk.ts";
import "./handset.ts";
import { personOf } from "./people.ts";
import { reportFrom } from "./reporter.ts";
import { connectAs } from "./server.ts";

const person = personOf(location.search);
const device = new URLSearchParams(location.search).get("device");
const client = connectAs(person);
setDefaultClient(client);
reportFrom(`${person.id} ${device ?? "desk"} ${performance.timeOrigin}`, client);

const page = Object.assign(document.createElement(device ? "demo-handset" : "demo-desk"), {
  person,
});
document.body.append(page);
document.title = `${person.name} · Tocsin demo`;
