/** The demo page: `/` is the main window, `/?device=...` a frame of it, one more device of somebody. */

import { setDefaultClient } from "../src/elements/index.ts";
import "./desk.ts";
import "./handset.ts";
import { Line, mainKind } from "./line.ts";
import { personOf } from "./people.ts";
import { reportFrom } from "./reporter.ts";

const person = personOf(location.search);
const kind = new URLSearchParams(location.search).get("device") ?? mainKind;
const line = new Line(person, kind);
setDefaultClient(line.client);
reportFrom(line.device, line.client, () => line.isCut);

const page = document.createElement(kind === mainKind ? "demo-desk" : "demo-handset");
document.body.append(Object.assign(page, { person, line }));
document.title = `${person.name} · Tocsin demo`;
