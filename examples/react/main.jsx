import { setDefaultClient, TocsinClient } from "@tocsin/web";
import { createRoot } from "react-dom/client";
import { App } from "./app.jsx";

const client = new TocsinClient({ tokenUrl: "/tocsin-token", user: "ada" });
setDefaultClient(client);
client.connect();
createRoot(document.getElementById("root")).render(<App client={client} />);
