/** For `importScripts("/tocsin/worker.js")`: one line, and the worker serves pushes. */

import { servePush } from "./index.ts";

servePush();
