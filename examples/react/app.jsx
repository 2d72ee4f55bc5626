import { useState, useSyncExternalStore } from "react";

/** The inbox as it is, drawn anew with every change of it. */
function useInbox(client) {
  return useSyncExternalStore(
    (changed) => client.subscribe(changed),
    () => client.view(),
  );
}

export function App({ client }) {
  const { counts } = useInbox(client);
  const [opened, setOpened] = useState("nothing yet");
  return (
    <>
      <header>
        <h1>React</h1>
        <p>
          {counts.unread} unread; opened: {opened}
        </p>
        <tocsin-bell ontocsin-open={(event) => setOpened(event.detail.alert.title)} />
      </header>
      <tocsin-toasts />
    </>
  );
}
