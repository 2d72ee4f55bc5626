// An app's own service worker. This line is all that push needs; the rest of the file is the app's.
importScripts("/tocsin/worker.js");
