/** The pages of the elements: `/elements/` shows the first, `/elements/?element=tocsin-inbox` that one. */

import { setDefaultClient } from "../../src/elements/index.ts";
import { Line, mainKind } from "../line.ts";
import { personOf } from "../people.ts";
import "./reference.ts";
import { type Manifest, pageOf } from "./manifest.ts";

const person = personOf(location.search);
setDefaultClient(new Line(person, mainKind).client);

const response = await fetch("/tocsin/custom-elements.json");
const manifest = (await response.json()) as Manifest;
const page = pageOf(manifest, new URLSearchParams(location.search).get("element"));
document.title = `<${page.element.tagName}> · Tocsin`;
document.body.append(Object.assign(document.createElement("demo-reference"), { page, person }));
