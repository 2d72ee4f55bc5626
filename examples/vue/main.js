import { setDefaultClient, TocsinClient } from "@tocsin/web";
import { createApp } from "vue";
import App from "./App.vue";

const client = new TocsinClient({ tokenUrl: "/tocsin-token", user: "ada" });
setDefaultClient(client);
client.connect();
createApp(App, { client }).mount("#root");
